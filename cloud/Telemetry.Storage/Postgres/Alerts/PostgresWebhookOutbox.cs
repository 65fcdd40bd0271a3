using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The webhooks' side of the database on PostgreSQL. Safe for several callers at once.</summary>
public sealed class PostgresWebhookOutbox : IWebhookOutbox, IAsyncDisposable
{
    private const int ConnectionsMax = 4;

    private readonly ReadPool _pool;

    public PostgresWebhookOutbox(PostgresStoreOptions options) => _pool = new ReadPool(NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = ConnectionsMax,
            CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
            TcpKeepAlive = true,
        }));

    public async Task<bool> TakeLeaseAsync(
        string webhook, long token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        await WriteAsync(
            "take the lease of a webhook",
            """
            INSERT INTO telemetry.webhook AS w (webhook, token, owner, lease_until) VALUES ($1, $2, $3, now() + $4)
            ON CONFLICT (webhook) DO UPDATE
            SET token = excluded.token, owner = excluded.owner, lease_until = excluded.lease_until
            WHERE w.owner = excluded.owner OR w.lease_until <= now()
            """,
            cancellationToken,
            (webhook, NpgsqlDbType.Text), (token, NpgsqlDbType.Bigint), (owner, NpgsqlDbType.Text),
            (lease, NpgsqlDbType.Interval)) == 1;

    public Task ReleaseLeaseAsync(string webhook, long token, CancellationToken cancellationToken) => WriteAsync(
        "release the lease of a webhook",
        "UPDATE telemetry.webhook SET lease_until = '-infinity' WHERE webhook = $1 AND token = $2",
        cancellationToken,
        (webhook, NpgsqlDbType.Text), (token, NpgsqlDbType.Bigint));

    public async Task<IReadOnlyDictionary<int, WebhookPosition>> PositionsAsync(
        string webhook, CancellationToken cancellationToken)
    {
        await WriteAsync(
            "begin a webhook",
            """
            WITH begun AS (
                UPDATE telemetry.webhook SET begun = true WHERE webhook = $1 AND NOT begun RETURNING webhook)
            INSERT INTO telemetry.webhook_position (webhook, partition, number, sent_at)
            SELECT b.webhook, p.partition, p.alert_number, now() FROM begun b CROSS JOIN telemetry.partition p
            ON CONFLICT DO NOTHING
            """,
            cancellationToken, (webhook, NpgsqlDbType.Text));
        var found = await ReadAsync(
            "look at the positions of a webhook",
            """
            SELECT p.partition, least(coalesce(w.number, 0), p.alert_number), p.alert_number
            FROM telemetry.partition p
            LEFT JOIN telemetry.webhook_position w ON w.webhook = $1 AND w.partition = p.partition
            """,
            r => (Partition: r.GetInt32(0), Position: new WebhookPosition(r.GetInt64(1), r.GetInt64(2))),
            cancellationToken, (webhook, NpgsqlDbType.Text));
        return found.ToDictionary(f => f.Partition, f => f.Position);
    }

    public async Task<IReadOnlyList<WebhookRow>> ReadAsync(
        int partition, long after, int rowsMax, CancellationToken cancellationToken) => await ReadAsync(
            "read the alert outbox",
            """
            SELECT number, id, greatest(now() - stored_at, '0'::interval), event FROM telemetry.alert_outbox
            WHERE partition = $1 AND number > $2 ORDER BY number LIMIT $3
            """,
            r => new WebhookRow(r.GetInt64(0), r.GetString(1), r.GetTimeSpan(2), r.GetFieldValue<byte[]>(3)),
            cancellationToken,
            (partition, NpgsqlDbType.Integer), (after, NpgsqlDbType.Bigint), (rowsMax, NpgsqlDbType.Integer));

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
            (devices.Select(d => d.Gateway).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text),
            (devices.Select(d => d.Device).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text));
        return sites.ToDictionary(s => s.Key, s => s.Site);
    }

    public Task<bool> NoteAsync(
        string webhook, long token, IReadOnlyDictionary<int, long> done,
        IReadOnlyCollection<WebhookDeadLetter> givenUp, CancellationToken cancellationToken) => _pool.RunAsync(
            "note what a webhook has sent",
            async connection =>
            {
                await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
                await using var held = Command(
                    connection, "SELECT 1 FROM telemetry.webhook WHERE webhook = $1 AND token = $2 FOR UPDATE",
                    (webhook, NpgsqlDbType.Text), (token, NpgsqlDbType.Bigint));
                if (await held.ExecuteScalarAsync(cancellationToken) is null)
                {
                    return false;
                }

                await using var positions = Command(
                    connection,
                    """
                    INSERT INTO telemetry.webhook_position (webhook, partition, number, sent_at)
                    SELECT $1, u.partition, u.number, now() FROM unnest($2, $3) u(partition, number)
                    ON CONFLICT (webhook, partition) DO UPDATE SET number = excluded.number, sent_at = excluded.sent_at
                    """,
                    (webhook, NpgsqlDbType.Text), (done.Keys.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer),
                    (done.Values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint));
                await positions.ExecuteNonQueryAsync(cancellationToken);
                if (givenUp.Count > 0)
                {
                    await GiveUpAsync(connection, webhook, givenUp, cancellationToken);
                }

                await transaction.CommitAsync(cancellationToken);
                return true;
            },
            cancellationToken);

    public async Task<IReadOnlyList<WebhookDeadLetter>> RetriedAsync(
        string webhook, int lettersMax, CancellationToken cancellationToken) => await ReadAsync(
            "look at dead letters of a webhook",
            """
            SELECT id, webhook, event, body, error FROM telemetry.webhook_dead_letter
            WHERE webhook = $1 AND retry ORDER BY id LIMIT $2
            """,
            r => new WebhookDeadLetter(
                r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetFieldValue<byte[]>(3), r.GetString(4)),
            cancellationToken, (webhook, NpgsqlDbType.Text), (lettersMax, NpgsqlDbType.Integer));

    public Task NoteRetryAsync(long id, string? error, CancellationToken cancellationToken) => error is null
        ? WriteAsync(
            "remove a dead letter of a webhook", "DELETE FROM telemetry.webhook_dead_letter WHERE id = $1",
            cancellationToken, (id, NpgsqlDbType.Bigint))
        : WriteAsync(
            "note a dead letter of a webhook",
            "UPDATE telemetry.webhook_dead_letter SET retry = false, error = $2 WHERE id = $1",
            cancellationToken, (id, NpgsqlDbType.Bigint), (error, NpgsqlDbType.Text));

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static async Task GiveUpAsync(
        NpgsqlConnection connection, string webhook, IReadOnlyCollection<WebhookDeadLetter> letters,
        CancellationToken cancellationToken)
    {
        await using var insert = Command(
            connection,
            """
            INSERT INTO telemetry.webhook_dead_letter (webhook, event, body, error)
            SELECT $1, u.event, u.body, u.error
            FROM unnest($2, $3, $4) WITH ORDINALITY u(event, body, error, n) ORDER BY u.n
            """,
            (webhook, NpgsqlDbType.Text),
            (letters.Select(l => l.Event).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text),
            (letters.Select(l => l.Body.ToArray()).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bytea),
            (letters.Select(l => l.Error).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text));
        await insert.ExecuteNonQueryAsync(cancellationToken);
        await using var bound = Command(
            connection,
            """
            DELETE FROM telemetry.webhook_dead_letter WHERE webhook = $1 AND id <= (
                SELECT id FROM telemetry.webhook_dead_letter WHERE webhook = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
            """,
            (webhook, NpgsqlDbType.Text), (WebhookDeadLetter.KeptMax, NpgsqlDbType.Integer));
        await bound.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(
        NpgsqlConnection connection, string sql, params (object Value, NpgsqlDbType Type)[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var (value, type) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        return command;
    }

    private Task<int> WriteAsync(
        string what, string sql, CancellationToken cancellationToken,
        params (object Value, NpgsqlDbType Type)[] parameters) => _pool.RunAsync(
            what,
            async connection =>
            {
                await using var command = Command(connection, sql, parameters);
                return await command.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    private Task<List<T>> ReadAsync<T>(
        string what, string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken,
        params (object Value, NpgsqlDbType Type)[] parameters) => _pool.RunAsync(
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
}
