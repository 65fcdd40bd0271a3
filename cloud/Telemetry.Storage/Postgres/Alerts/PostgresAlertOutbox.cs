using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The relay's side of the database on PostgreSQL. Safe for several callers at once.</summary>
public sealed class PostgresAlertOutbox : IAlertOutbox, IAsyncDisposable
{
    private const int ConnectionsMax = 2;

    private readonly NpgsqlDataSource _database;

    public PostgresAlertOutbox(PostgresStoreOptions options) => _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = ConnectionsMax,
            CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
            TcpKeepAlive = true,
        });

    public async Task<bool> TakeLeaseAsync(
        string relay, long token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        await WriteAsync(
            "take the relay's lease",
            """
            INSERT INTO telemetry.relay AS r (relay, token, owner, lease_until) VALUES ($1, $2, $3, now() + $4)
            ON CONFLICT (relay) DO UPDATE
            SET token = excluded.token, owner = excluded.owner, lease_until = excluded.lease_until
            WHERE r.owner = excluded.owner OR r.lease_until <= now()
            """,
            cancellationToken,
            Text(relay), Number(token), Text(owner), Span(lease)) == 1;

    public async Task<bool> RenewLeaseAsync(
        string relay, long token, TimeSpan lease, CancellationToken cancellationToken) =>
        await WriteAsync(
            "renew the relay's lease",
            "UPDATE telemetry.relay SET lease_until = now() + $3 WHERE relay = $1 AND token = $2",
            cancellationToken,
            Text(relay), Number(token), Span(lease)) == 1;

    public Task ReleaseLeaseAsync(string relay, long token, CancellationToken cancellationToken) => WriteAsync(
        "release the relay's lease",
        "UPDATE telemetry.relay SET lease_until = '-infinity' WHERE relay = $1 AND token = $2",
        cancellationToken,
        Text(relay), Number(token));

    public async Task<IReadOnlyDictionary<int, OutboxExtent>> ExtentsAsync(CancellationToken cancellationToken)
    {
        var extents = await ReadAsync(
            "look at the alert outbox",
            """
            SELECT p.partition, p.alert_number, p.alert_chain, coalesce(n.number, 0),
                coalesce((SELECT min(o.number) FROM telemetry.alert_outbox o WHERE o.partition = p.partition), 0)
            FROM telemetry.partition p LEFT JOIN telemetry.relay_position n USING (partition)
            """,
            r => (Partition: r.GetInt32(0), Extent: new OutboxExtent(
                r.GetInt64(4), new AlertHead(r.GetInt64(1), Chain(r, 2)), Math.Min(r.GetInt64(3), r.GetInt64(1)))),
            cancellationToken);
        return extents.ToDictionary(e => e.Partition, e => e.Extent);
    }

    public async Task<IReadOnlyList<AlertOutboxRow>> ReadAsync(
        int partition, long after, int rowsMax, int bytesMax, CancellationToken cancellationToken) => await ReadAsync(
            "read the alert outbox",
            // The limit compares the sum of the rows before a row, so that there is always at least one row.
            """
            SELECT number, chain, id, event FROM (
                SELECT *, sum(octet_length(event)) OVER (ORDER BY number) - octet_length(event) AS before FROM (
                    SELECT number, chain, id, event FROM telemetry.alert_outbox
                    WHERE partition = $1 AND number > $2 ORDER BY number LIMIT $3) rows) summed
            WHERE before < $4 ORDER BY number
            """,
            r => new AlertOutboxRow(
                partition, new AlertHead(r.GetInt64(0), Chain(r, 1)), r.GetString(2), r.GetFieldValue<byte[]>(3)),
            cancellationToken,
            Integer(partition), Number(after), Number(rowsMax), Number(bytesMax));

    public async Task<IReadOnlyDictionary<(string Gateway, string Device), string>> SitesAsync(
        IReadOnlyCollection<(string Gateway, string Device)> devices, CancellationToken cancellationToken)
    {
        var sites = await ReadAsync(
            "look at the sites of devices",
            """
            SELECT m.gateway, m.device, m.site
            FROM unnest($1, $2) u(gateway, device) JOIN telemetry.device_metadata m USING (gateway, device)
            WHERE m.site IS NOT NULL
            """,
            r => (Key: (r.GetString(0), r.GetString(1)), Site: r.GetString(2)),
            cancellationToken,
            Array(NpgsqlDbType.Text, devices.Select(d => d.Gateway).ToArray()),
            Array(NpgsqlDbType.Text, devices.Select(d => d.Device).ToArray()));
        return sites.ToDictionary(s => s.Key, s => s.Site);
    }

    public async Task<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>> StampsAsync(
        IReadOnlyCollection<(int Partition, long Number)> rows, CancellationToken cancellationToken)
    {
        var stamps = await ReadAsync(
            "look at rows of the alert outbox",
            """
            SELECT o.partition, o.number, o.chain, o.stored_at
            FROM unnest($1, $2) u(partition, number) JOIN telemetry.alert_outbox o USING (partition, number)
            """,
            r => (Partition: r.GetInt32(0), Stamp: new OutboxStamp(
                new AlertHead(r.GetInt64(1), Chain(r, 2)), new DateTimeOffset(r.GetDateTime(3)))),
            cancellationToken,
            Array(NpgsqlDbType.Integer, rows.Select(r => r.Partition).ToArray()),
            Array(NpgsqlDbType.Bigint, rows.Select(r => r.Number).ToArray()));
        return stamps.ToDictionary(s => (s.Partition, s.Stamp.Head.Number), s => s.Stamp);
    }

    public Task<int> ListOrphansAsync(
        IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken) =>
        RunAsync("list orphans", c => AlertOrphans.ListAsync(c, records, cancellationToken), cancellationToken);

    public Task NoteAsync(IReadOnlyDictionary<int, AlertHead> published, CancellationToken cancellationToken) =>
        RunAsync(
            "note what is published",
            async connection =>
            {
                await using var command = Command(
                    connection,
                    """
                    INSERT INTO telemetry.relay_position (partition, number, published_at)
                    SELECT partition, number, now()
                    FROM unnest($1, $2, $3) u(partition, number, chain)
                    JOIN telemetry.alert_outbox USING (partition, number, chain)
                    ON CONFLICT (partition) DO UPDATE SET number = excluded.number, published_at = excluded.published_at
                    """,
                    Array(NpgsqlDbType.Integer, published.Keys.ToArray()),
                    Array(NpgsqlDbType.Bigint, published.Values.Select(h => h.Number).ToArray()),
                    Array(NpgsqlDbType.Bytea, published.Values.Select(h => ColumnValues.Bytes(h.Chain)).ToArray()));
                await command.ExecuteNonQueryAsync(cancellationToken);
                return await AlertOrphans.ForgetAsync(connection, cancellationToken);
            },
            cancellationToken);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static UInt128 Chain(NpgsqlDataReader reader, int column) =>
        ColumnValues.Hash(reader.GetFieldValue<byte[]>(column));

    private static NpgsqlParameter Text(string value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Number(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static NpgsqlParameter Integer(int value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Integer };

    private static NpgsqlParameter Span(TimeSpan value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlDbType.Interval };

    private static NpgsqlParameter Array(NpgsqlDbType type, Array value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlDbType.Array | type };

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }

    private Task<int> WriteAsync(
        string what, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters) => RunAsync(
            what,
            async connection =>
            {
                await using var command = Command(connection, sql, parameters);
                return await command.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    private Task<List<T>> ReadAsync<T>(
        string what, string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters) => RunAsync(
            what,
            async connection =>
            {
                await using var command = Command(connection, sql, parameters);
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                var rows = new List<T>();
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add(map(reader));
                }

                return rows;
            },
            cancellationToken);

    private async Task<T> RunAsync<T>(
        string what, Func<NpgsqlConnection, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _database.OpenConnectionAsync(cancellationToken);
            return await run(connection);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            // Another connection in the pool has most likely broken too: the next try opens a new one.
            _database.Clear();
            throw StoreErrors.From(what, e);
        }
    }
}
