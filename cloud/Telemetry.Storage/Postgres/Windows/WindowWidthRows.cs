using Npgsql;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>The widths of windows in telemetry.window_width, whose rows are only added to.</summary>
public static class WindowWidthRows
{
    private const string Sql = "SELECT metric, width_seconds, valid_from FROM telemetry.window_width ORDER BY id";

    /// <summary>Reads all rows, in the order in which they were added.</summary>
    public static async Task<WindowWidths> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var widths = new List<WindowWidth>();
        while (await reader.ReadAsync(cancellationToken))
        {
            widths.Add(new WindowWidth(
                new NamePattern(reader.GetString(0)), reader.GetInt32(1),
                ColumnValues.Micros(reader.GetDateTime(2))));
        }

        return widths.Count == 0 ? WindowWidths.None : new WindowWidths(widths);
    }
}
