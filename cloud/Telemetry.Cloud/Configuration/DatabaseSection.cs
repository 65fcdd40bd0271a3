using Telemetry.Runtime.Settings;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>database</c>.</summary>
internal static class DatabaseSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1),
        Day = TimeSpan.FromDays(1);

    public static PostgresStoreOptions? Read(SettingsReader reader, bool needed)
    {
        var connection = needed ? reader.Required("database.connection") : reader.Text("database.connection") ?? "";
        var password = reader.Text("database.password");
        var options = new PostgresStoreOptions { ConnectionString = "" };
        options = options with
        {
            Migrate = reader.Flag("database.migrate", true),
            CommandTimeout = reader.Span("database.commandTimeout", options.CommandTimeout, Second, Hour),
            KeepRegister = reader.Span("database.keepRegister", options.KeepRegister, Hour, 3650 * Day),
            KeepPartsApart = reader.Span("database.keepPartsApart", options.KeepPartsApart, Day, 3650 * Day),
            ReadConnectionsMax = reader.Number("database.readConnectionsMax", options.ReadConnectionsMax, 1, 100),
            ArrivedReadings = reader.Number("database.arrivedReadings", options.ArrivedReadings, 1_000, 10_000_000),
            ChunkBytes = reader.Bytes("database.chunkBytes", options.ChunkBytes, 1 << 20, 1L << 40),
            DirectCompress = reader.Flag("database.directCompress", options.DirectCompress),
            IndexingPercent = reader.Number("database.indexingPercent", options.IndexingPercent, 1, 100),
        };
        if (connection.Length == 0)
        {
            return null;
        }

        try
        {
            return options with { ConnectionString = PostgresStoreOptions.Connection(connection, password) };
        }
        catch (FormatException e)
        {
            reader.Problem("database.connection", $"{e.Message}; use 'Host=…;Port=…;Database=…;Username=…'");
            return null;
        }
    }
}
