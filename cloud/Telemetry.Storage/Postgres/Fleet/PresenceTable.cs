using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>The tables <c>gateway_presence</c> and <c>ingress_run</c>.</summary>
public sealed class PresenceTable(string connectionString) : IPresenceTable, IAsyncDisposable
{
    private const string RunsSql = """
        INSERT INTO telemetry.ingress_run AS i (run, ingress, said_at)
        SELECT u.run, u.ingress, now() FROM unnest($1, $2) u(run, ingress) ORDER BY u.run
        ON CONFLICT (run) DO UPDATE SET said_at = now() WHERE i.said_at < now() - interval '3 s'
        """;

    private const long Century = 100L * 365 * 24 * 3600 * 1_000_000;

    // In the order of gateways: two processes that write the same ones do not wait for each other in a circle.
    private const string RowsSql = """
        INSERT INTO telemetry.gateway_presence AS p
            (gateway, connected, since, run, session, version, clock_offset, clock_synchronised, changed_at)
        SELECT u.gateway, u.connected, u.since, u.run, u.session, u.version, u.clock_offset, u.synchronised, now()
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            u(gateway, connected, since, run, session, version, clock_offset, synchronised)
        LEFT JOIN telemetry.gateway_presence k ON k.gateway = u.gateway
        LEFT JOIN telemetry.ingress_run i ON i.run = k.run
        WHERE k.gateway IS NULL
           OR (u.run = k.run AND u.session = k.session
               AND (u.connected, u.version, u.clock_offset, u.synchronised)
                   IS DISTINCT FROM (k.connected, k.version, k.clock_offset, k.clock_synchronised))
           OR (u.run = k.run AND u.session > k.session)
           OR (u.run <> k.run AND CASE WHEN u.connected
               THEN NOT k.connected OR u.since >= k.since OR i.said_at < now() - interval '40 s' OR i.run IS NULL
               ELSE NOT k.connected AND u.since > k.since END)
        ORDER BY u.gateway
        ON CONFLICT (gateway) DO UPDATE
        SET connected = excluded.connected, since = excluded.since, run = excluded.run, session = excluded.session,
            version = excluded.version, clock_offset = excluded.clock_offset,
            clock_synchronised = excluded.clock_synchronised, changed_at = excluded.changed_at
        """;

    // Each start of an ingress makes one. A gateway of one that is gone counts as gone, with or without the row.
    private const string OldRunsSql = "DELETE FROM telemetry.ingress_run WHERE said_at < now() - interval '30 days'";

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 2, TcpKeepAlive = true });

    public async Task WriteAsync(
        IReadOnlyList<IngressRunRow> runs, IReadOnlyList<PresenceRow> rows, CancellationToken cancellationToken)
    {
        try
        {
            await using var batch = _database.CreateBatch();
            Add(batch, RunsSql,
                (runs.Select(r => (long)r.Run).ToArray(), NpgsqlDbType.Bigint),
                (runs.Select(r => ColumnValues.Text(r.Ingress)).ToArray(), NpgsqlDbType.Text));
            Add(batch, OldRunsSql);
            if (rows.Count > 0)
            {
                Add(batch, RowsSql,
                    (rows.Select(r => r.Gateway).ToArray(), NpgsqlDbType.Text),
                    (rows.Select(r => r.Connected).ToArray(), NpgsqlDbType.Boolean),
                    (rows.Select(r => ColumnValues.Time(r.SinceMicros)).ToArray(), NpgsqlDbType.TimestampTz),
                    (rows.Select(r => (long)r.Run).ToArray(), NpgsqlDbType.Bigint),
                    (rows.Select(r => r.Session).ToArray(), NpgsqlDbType.Bigint),
                    (rows.Select(r => ColumnValues.Text(r.Version)).ToArray(), NpgsqlDbType.Text),
                    (rows.Select(r => Offset(r.ClockOffsetMicros)).ToArray(), NpgsqlDbType.Interval),
                    (rows.Select(r => r.ClockSynchronised).ToArray(), NpgsqlDbType.Boolean));
            }

            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("write who is connected", e);
        }
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    // An agent may say any time of its clock.
    private static TimeSpan? Offset(long? micros) =>
        micros is { } offset ? TimeSpan.FromTicks(Math.Clamp(offset, -Century, Century) * 10) : null;

    private static void Add(NpgsqlBatch batch, string sql, params (Array Values, NpgsqlDbType Type)[] columns)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (values, type) in columns)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type });
        }

        batch.BatchCommands.Add(command);
    }
}
