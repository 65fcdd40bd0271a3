using Npgsql;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>The greatest number of a series or a device that was given.</summary>
internal static class GreatestNumber
{
    private const string Sql = """
        SELECT greatest((SELECT last_value FROM telemetry.series_id_seq),
            (SELECT last_value FROM telemetry.device_id_seq))::bigint
        """;

    public static async Task<long> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
