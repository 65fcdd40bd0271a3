using Npgsql;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>The shape of telemetry.reading in this database.</summary>
/// <param name="IsPartitioned">Plain PostgreSQL: it has partitions, which must be made.</param>
/// <param name="HasDevice">TimescaleDB Community: its rows contain the device, by which the columnstore
/// segments.</param>
internal readonly record struct ReadingTable(bool IsPartitioned, bool HasDevice)
{
    /// <summary>The table that readings are copied to.</summary>
    public string CopyTarget => IsPartitioned ? "telemetry.reading_arrived" : "telemetry.reading";

    /// <summary>
    /// Locks the table before a statement that names only one of its partitions: a change of the table, which locks the
    /// table first and then its partitions, cannot deadlock with it.
    /// </summary>
    public const string LockSql = "LOCK TABLE ONLY telemetry.reading IN ROW EXCLUSIVE MODE";

    private const string Sql = """
        SELECT relkind = 'p',
               EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'device' AND NOT attisdropped)
        FROM pg_class c WHERE oid = 'telemetry.reading'::regclass
        """;

    public static async Task<ReadingTable> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ReadingTable(reader.GetBoolean(0), reader.GetBoolean(1));
    }
}
