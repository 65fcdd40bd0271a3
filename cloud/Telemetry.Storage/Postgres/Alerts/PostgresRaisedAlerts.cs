using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The alerts that people are to know of, on PostgreSQL. Safe for several callers at once.</summary>
public sealed class PostgresRaisedAlerts : IRaisedAlerts, IAsyncDisposable
{
    private const int ConnectionsMax = 2;

    private const string Head = """
        SELECT DISTINCT ON (a.gateway, a.rule, a.series_identity, a.severity)
            a.gateway, a.rule, a.series_identity, a.severity, a.id, a.state, a.began_micros, a.fired_micros,
            a.ended_micros, a.changed_at, a.peak, coalesce(s.device, ''), coalesce(s.metric, ''), s.labels::text,
            coalesce(m.site, '')
        FROM telemetry.alert a
        LEFT JOIN telemetry.series s ON s.identity = a.series_identity
        LEFT JOIN telemetry.device_metadata m ON m.gateway = a.gateway AND m.device = s.device
        WHERE NOT a.late
        """;

    private const string Tail = """
        AND (a.state = 0 OR NOT EXISTS (
          SELECT FROM telemetry.alert o
          WHERE o.state = 0 AND NOT o.late AND o.gateway = a.gateway AND o.rule = a.rule
          AND o.series_identity = a.series_identity AND o.severity = a.severity))
        AND (a.gateway, a.rule, a.series_identity, a.severity) > ($2, $3, $4, $5)
        ORDER BY a.gateway, a.rule, a.series_identity, a.severity, a.state <> 0, a.fired_micros DESC
        LIMIT $6
        """;

    private const string All = $"{Head} AND (a.state = 0 OR a.changed_at > now() - $1) {Tail}";

    private const string Changed = $"{Head} AND a.changed_at > now() - $1 {Tail}";

    private const string SummariesSql = """
        WITH late AS (
            SELECT gateway, rule, series_identity, id, state, began_micros, published_at,
                   coalesce(ended_micros, fired_micros) AS until,
                   coalesce(published_at - lag(published_at) OVER w > $1, true) AS begins
            FROM telemetry.alert WHERE late AND state <> 2 AND published_at > now() - interval '1 day'
            WINDOW w AS (PARTITION BY gateway ORDER BY published_at, id)),
        numbered AS (
            SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY gateway ORDER BY published_at, id) AS outage
            FROM late),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY gateway, outage ORDER BY began_micros, id) AS rank,
                   max(published_at) OVER (PARTITION BY gateway, outage) AS last
            FROM numbered)
        SELECT r.gateway, count(*), count(*) FILTER (WHERE r.state = 0), min(r.published_at), max(r.last),
               min(r.began_micros), max(r.until),
               array_agg(concat_ws(' ', r.rule || ':', s.device, s.metric) ORDER BY r.rank) FILTER (WHERE r.rank <= $3),
               ARRAY(SELECT DISTINCT m.site FROM telemetry.device_metadata m
                     WHERE m.gateway = r.gateway AND m.site IS NOT NULL ORDER BY 1)
        FROM ranked r LEFT JOIN telemetry.series s ON r.rank <= $3 AND s.identity = r.series_identity
        WHERE r.last > now() - $1
        GROUP BY r.gateway, r.outage
        HAVING min(r.published_at) < now() - $2 OR NOT EXISTS (
            SELECT FROM telemetry.alert_state g WHERE g.gateway = r.gateway AND g.gap_from IS NOT NULL)
        ORDER BY r.gateway
        """;

    private readonly ReadPool _pool;

    public PostgresRaisedAlerts(PostgresStoreOptions options) => _pool = new ReadPool(NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = ConnectionsMax,
            CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
            TcpKeepAlive = true,
        }));

    public async Task<long> CountTransitionsAsync(CancellationToken cancellationToken)
    {
        var counts = await ReadAsync(
            "look for changed alerts", "SELECT coalesce(sum(alert_number), 0)::bigint FROM telemetry.partition",
            r => r.GetInt64(0), cancellationToken);
        return counts[0];
    }

    public async Task<IReadOnlyList<RaisedAlert>> ReadAsync(
        TimeSpan within, bool changedOnly, RaisedAlertKey after, int rowsMax, CancellationToken cancellationToken) =>
        await ReadAsync(
            "read the alerts", changedOnly ? Changed : All,
            r => new RaisedAlert(
                new RaisedAlertKey(r.GetString(0), r.GetString(1), r.GetFieldValue<byte[]>(2), r.GetString(3)),
                Convert.ToHexStringLower(r.GetFieldValue<byte[]>(4)), (AlertInstanceState)r.GetInt16(5),
                r.GetInt64(6), r.GetInt64(7), r.IsDBNull(8) ? null : r.GetInt64(8),
                new DateTimeOffset(r.GetDateTime(9)), r.GetDouble(10))
            {
                Device = r.GetString(11),
                Metric = r.GetString(12),
                Labels = Labels(r.IsDBNull(13) ? null : r.GetString(13)),
                Site = r.GetString(14),
            },
            cancellationToken,
            (within, NpgsqlDbType.Interval), (after.Gateway, NpgsqlDbType.Text), (after.Rule, NpgsqlDbType.Text),
            (after.Series.ToArray(), NpgsqlDbType.Bytea), (after.Severity, NpgsqlDbType.Text),
            (rowsMax, NpgsqlDbType.Integer));

    public async Task<IReadOnlyList<OutageSummary>> SummariesAsync(
        TimeSpan quiet, TimeSpan patience, CancellationToken cancellationToken) => await ReadAsync(
            "read the late alerts", SummariesSql,
            r => new OutageSummary(
                r.GetString(0), r.GetInt64(1), r.GetInt64(2), new DateTimeOffset(r.GetDateTime(3)),
                new DateTimeOffset(r.GetDateTime(4)), r.GetInt64(5), r.GetInt64(6), r.GetFieldValue<string[]>(7))
            {
                Sites = r.GetFieldValue<string[]>(8),
            },
            cancellationToken,
            (quiet, NpgsqlDbType.Interval), (patience, NpgsqlDbType.Interval),
            (OutageSummary.NamesMax, NpgsqlDbType.Integer));

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static SortedDictionary<string, string> Labels(string? json) => json is null
        ? [] : new(JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [], StringComparer.Ordinal);

    private Task<List<T>> ReadAsync<T>(
        string what, string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken,
        params (object Value, NpgsqlDbType Type)[] parameters) => _pool.RunAsync(
            what,
            async connection =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                foreach (var (value, type) in parameters)
                {
                    command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
                }

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
