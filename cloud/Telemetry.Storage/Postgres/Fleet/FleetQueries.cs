using System.Text;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>
/// What a dashboard asks PostgreSQL: with few connections that may not write, and with a limit of time, so that people
/// who look at pages take little from those who store.
/// </summary>
public sealed class FleetQueries(string connectionString) : IFleetQueries, IAsyncDisposable
{
    private const int ConnectionsMax = 4, SecondsMax = 15;

    private const string PartitionsSql =
        "SELECT partition, commits, owner, lease_until, now() FROM telemetry.partition ORDER BY partition";

    private const string GatewaysSql = $"""
        SELECT n.gateway, g.partition,
               least(coalesce((SELECT sum(accepted) FROM telemetry.outbox o WHERE o.gateway = n.gateway), 0),
                   9223372036854775807)::bigint,
               coalesce(g.stored, 0), coalesce(g.rejected, 0), coalesce(g.dropped, 0), coalesce(g.lost, 0),
               g.watermark, coalesce(g.fork, ''), g.changed_at, {AlertQueries.CountOfGateway},
               coalesce(m.sites, '{"{}"}'), coalesce(l.labels, '{"{}"}'), p.connected, p.since, coalesce(p.ingress, ''),
               p.agent_version, (extract(epoch FROM p.clock_offset) * 1000000)::bigint, p.clock_synchronised
        FROM (SELECT gateway FROM telemetry.gateway WHERE $1::integer IS NULL OR partition = $1
              UNION SELECT gateway FROM telemetry.gateway_presence WHERE $1::integer IS NULL
              UNION SELECT gateway FROM telemetry.device_metadata WHERE $1::integer IS NULL) n
        LEFT JOIN telemetry.gateway g ON g.gateway = n.gateway
        LEFT JOIN telemetry.presence p ON p.gateway = n.gateway
        LEFT JOIN (SELECT gateway, array_agg(DISTINCT site ORDER BY site) AS sites FROM telemetry.device_metadata
                   WHERE site IS NOT NULL GROUP BY gateway) m ON m.gateway = n.gateway
        LEFT JOIN (SELECT d.gateway, array_agg(DISTINCT e.key || '=' || e.value) AS labels
                   FROM telemetry.device_metadata d CROSS JOIN LATERAL jsonb_each_text(d.labels) e
                   GROUP BY d.gateway) l ON l.gateway = n.gateway
        ORDER BY n.gateway
        """;

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = ConnectionsMax,
            CommandTimeout = SecondsMax,
            TcpKeepAlive = true,
            Options = "-c default_transaction_read_only=on",
        });

    public async Task<FleetSnapshot> LoadAsync(int? partition, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _database.OpenConnectionAsync(cancellationToken);
            var partitions = new List<FleetPartition>();
            var at = 0L;
            await using (var command = new NpgsqlCommand(PartitionsSql, connection))
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    partitions.Add(new FleetPartition(
                        reader.GetInt32(0), reader.GetInt64(1), reader.GetString(2), Micros(reader, 3) ?? 0));
                    at = Micros(reader, 4) ?? 0;
                }
            }

            return new FleetSnapshot(
                at, partitions, await ReadGatewaysAsync(connection, partition, cancellationToken));
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("read the fleet", e);
        }
    }

    public async Task<IReadOnlyDictionary<string, int>> CountFiringAsync(
        IReadOnlyCollection<string> gateways, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = _database.CreateCommand(AlertQueries.CountSql);
            command.Parameters.Add(new NpgsqlParameter { Value = gateways.ToArray() });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var counts = new Dictionary<string, int>();
            while (await reader.ReadAsync(cancellationToken))
            {
                counts.Add(reader.GetString(0), reader.GetInt32(1));
            }

            return counts;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("count alerts", e);
        }
    }

    public Task<byte[]?> GatewayAsync(string gateway, CancellationToken cancellationToken) =>
        AskAsync("read a gateway", GatewayQuery.Sql, cancellationToken, Text(gateway));

    public Task<byte[]?> AlertsAsync(AlertsAsked asked, CancellationToken cancellationToken) =>
        AskAsync(
            "read alerts", asked.Firing ? AlertQueries.FiringSql : AlertQueries.HistorySql, cancellationToken,
            Text(asked.Gateway), Text(asked.Rule), Time(asked.Before), Number(asked.Limit));

    public Task<byte[]?> SeriesAsync(
        string? gateway, string search, int limit, CancellationToken cancellationToken) =>
        AskAsync(
            "find series", SeriesQueries.FindSql, cancellationToken, Text(gateway), Text(search), Number(limit));

    public Task<byte[]?> ValuesAsync(ValuesAsked asked, CancellationToken cancellationToken) =>
        AskAsync(
            "read values", SeriesQueries.ValuesSql[asked.Kind], cancellationToken, Number(asked.Series),
            Time(asked.From), Time(asked.To), Number(asked.Limit));

    public Task<byte[]?> BooksAsync(string after, int limit, CancellationToken cancellationToken) =>
        AskAsync("read the books", BooksQueries.TotalsSql, cancellationToken, Text(after), Number(limit));

    public Task<byte[]?> DaysAsync(string? gateway, int days, CancellationToken cancellationToken) =>
        AskAsync("read the books by day", BooksQueries.DaysSql, cancellationToken, Text(gateway), Number(days));

    public Task<byte[]?> PipelineAsync(CancellationToken cancellationToken) =>
        AskAsync("read the pipeline", PipelineQuery.Sql, cancellationToken);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static async Task<IReadOnlyList<FleetGateway>> ReadGatewaysAsync(
        NpgsqlConnection connection, int? partition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(GatewaysSql, connection);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = partition is { } number ? number : DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Integer,
        });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var gateways = new List<FleetGateway>();
        while (await row.ReadAsync(cancellationToken))
        {
            gateways.Add(Gateway(row));
        }

        return gateways;
    }

    private static FleetGateway Gateway(NpgsqlDataReader row) => new()
    {
        Gateway = row.GetString(0),
        Partition = row.IsDBNull(1) ? null : row.GetInt32(1),
        Accepted = row.GetInt64(2),
        Stored = row.GetInt64(3),
        Rejected = row.GetInt64(4),
        Dropped = row.GetInt64(5),
        Lost = row.GetInt64(6),
        WatermarkMicros = Micros(row, 7),
        Fork = row.GetString(8),
        ChangedMicros = Micros(row, 9),
        Firing = row.GetInt32(10),
        Sites = row.GetFieldValue<string[]>(11),
        Labels = row.GetFieldValue<string[]>(12),
        Presence = row.IsDBNull(13) ? null : new FleetPresence(
            row.GetBoolean(13), Micros(row, 14) ?? 0, row.GetString(15), row.GetString(16),
            row.IsDBNull(17) ? null : row.GetInt64(17), row.GetBoolean(18)),
    };

    private static long? Micros(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : ColumnValues.Micros(row.GetDateTime(column));

    private static NpgsqlParameter Text(string? value) =>
        new() { Value = value is null ? DBNull.Value : ColumnValues.Text(value), NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Number(int value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Integer };

    private static NpgsqlParameter Time(DateTime value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    private async Task<byte[]?> AskAsync(
        string what, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        try
        {
            await using var command = _database.CreateCommand(sql);
            command.Parameters.AddRange(parameters);
            return await command.ExecuteScalarAsync(cancellationToken) is string json
                ? Encoding.UTF8.GetBytes(json) : null;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From(what, e);
        }
    }
}
