using Npgsql;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>A width in the database.</summary>
/// <param name="Width">The width.</param>
/// <param name="AddedAt">When it was added.</param>
/// <param name="AddedBy">The process that added it.</param>
public sealed record AddedWidth(WindowWidth Width, DateTime AddedAt, string AddedBy);

/// <summary>What operators ask about the widths of windows. Nothing here changes the database.</summary>
public sealed class WindowWidthQueries(NpgsqlDataSource database)
{
    /// <summary>The widths and who added them, in that order.</summary>
    public async Task<IReadOnlyList<AddedWidth>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await WidthTable.ListAsync(connection, cancellationToken);
    }

    /// <summary>
    /// Compares a windows file with the database, as a processor does at its start. Returns how many entries are new.
    /// Throws <see cref="WindowWidthException"/> when the file does not agree with the database.
    /// </summary>
    public async Task<int> CompareAsync(ConfiguredWidths file, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await WidthTable.CompareAsync(connection, file, cancellationToken);
    }

    /// <summary>How often the metrics are read that have windows of the last day, by name.</summary>
    public async Task<IReadOnlyList<ReadingRate>> RatesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ReadingRates.ReadAsync(connection, cancellationToken);
    }
}
