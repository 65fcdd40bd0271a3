using System.Text;
using Npgsql;
using Telemetry.Ingress.Access;
using Telemetry.Integration.Cloud;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>
/// A cloud process with every role, honest gateways in both of its partitions, and a hostile one that shares a
/// partition, and so a worker and each transaction, with two of them.
/// </summary>
internal sealed class HostileStand : IAsyncDisposable
{
    private const int Partitions = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TemporaryFolder _folder = new();
    private readonly NatsServer _nats;
    private readonly PostgresServer _postgres;
    private readonly NpgsqlDataSource _database;
    private readonly List<HonestGateway> _honest = [];

    private HostileStand(NatsServer nats, PostgresServer postgres)
    {
        (_nats, _postgres) = (nats, postgres);
        _database = NpgsqlDataSource.Create(postgres.ConnectionString);
        Cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        (HostileId, BesideId) = (Named("hostile", 0), Named("beside", 0));
        (LateId, OtherId) = (Named("late", 0), Named("other", 1));
        GatewayId[] all = [HostileId, BesideId, LateId, OtherId];
        File.WriteAllLines(
            _folder.At("gateways"), all.Select(g => GatewayPasswords.Line(g, Encoding.UTF8.GetBytes(g.Value))));
        Cloud.Configuration = $$"""
            {
              "partitions": {{Partitions}},
              "nats": { "servers": [ "{{nats.Url}}" ] },
              "database": { "connection": "{{postgres.ConnectionString}}" },
              "ingress": { "port": {{Cloud.MqttPort}}, "gateways": "{{_folder.At("gateways")}}" },
              "http": { "port": {{Cloud.HttpPort}} }
            }
            """;
    }

    public CloudProcess Cloud { get; }

    public GatewayId HostileId { get; }

    /// <summary>Honest, in the hostile one's partition.</summary>
    public GatewayId BesideId { get; }

    /// <summary>As that, but its series is first heard of when its key was forged already.</summary>
    public GatewayId LateId { get; }

    /// <summary>Honest, in the other partition.</summary>
    public GatewayId OtherId { get; }

    public IReadOnlyList<HonestGateway> Honest => _honest;

    public static async Task<HostileStand> Start()
    {
        // So that SQL tells when each reading's transaction was committed.
        var settings = new Dictionary<string, string> { ["track_commit_timestamp"] = "on" };
        var stand = new HostileStand(
            await NatsServer.Start(), await PostgresServer.Start(new PostgresOptions { Settings = settings }));
        await stand.Cloud.Start();
        await stand.Cloud.WaitUntilReady();
        stand.Begin(stand.BesideId);
        stand.Begin(stand.OtherId);
        await ProcessorPair.Until("honest readings are stored", async () => await stand.Stored(stand.BesideId) > 25
            && await stand.Stored(stand.OtherId) > 25);
        return stand;
    }

    public void Begin(GatewayId honest) => _honest.Add(new HonestGateway(honest, Cloud.MqttPort));

    /// <summary>Runs an attack and measures what it costs; it is to end when all that it sent was processed.</summary>
    public async Task<AttackPhase> Measure(string name, Func<Task> attack)
    {
        var rows = await Rows();
        var (from, before) = (DateTime.UtcNow, ProcessCost.Of(Cloud.Process.Id));
        await attack();
        var (to, after) = (DateTime.UtcNow, ProcessCost.Of(Cloud.Process.Id));
        return new(
            name, from, to, before, after,
            (await Rows()).ToDictionary(r => r.Key, r => r.Value - rows.GetValueOrDefault(r.Key)));
    }

    public Task UntilStored(GatewayId gateway, long readings) => ProcessorPair.Until(
        $"{readings} readings of {gateway} are stored", async () => await Stored(gateway) >= readings, Patience);

    public Task UntilSchemas(long schemas) => ProcessorPair.Until(
        $"{schemas} schemas are registered",
        async () => schemas <= await Number(
            "SELECT count(*) FROM telemetry.schema_message WHERE gateway = $1", HostileId),
        Patience);

    /// <summary>
    /// Commit time less taken time of each of these gateways' readings that was taken then, in rising order.
    /// </summary>
    public async Task<IReadOnlyList<TimeSpan>> Delays(AttackPhase phase, params GatewayId[] gateways)
    {
        await using var command = _database.CreateCommand(
            """
            SELECT pg_xact_commit_timestamp(r.xmin) - r.time FROM telemetry.reading r
            JOIN telemetry.series s ON s.id = r.series
            WHERE s.gateway = ANY ($1) AND r.time >= $2 AND r.time < $3 ORDER BY 1
            """);
        command.Parameters.AddWithValue(gateways.Select(g => g.Value).ToArray());
        command.Parameters.AddWithValue(phase.From);
        command.Parameters.AddWithValue(phase.To);
        await using var reader = await command.ExecuteReaderAsync();
        var delays = new List<TimeSpan>();
        while (await reader.ReadAsync())
        {
            delays.Add(reader.GetTimeSpan(0));
        }

        return delays;
    }

    /// <summary>Rows in the table of readings of one gateway, none counted twice.</summary>
    public Task<long> ReadingsOf(GatewayId gateway) => Number(
        """
        SELECT count(DISTINCT r.time) FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series
        WHERE s.gateway = $1
        """,
        gateway);

    public async ValueTask DisposeAsync()
    {
        foreach (var honest in _honest)
        {
            await honest.DisposeAsync();
        }

        await Cloud.DisposeAsync();
        await _database.DisposeAsync();
        await _nats.DisposeAsync();
        await _postgres.DisposeAsync();
        await _folder.DisposeAsync();
    }

    private Task<long> Stored(GatewayId gateway) => Number(
        "SELECT coalesce(sum(stored), 0)::bigint FROM telemetry.gateway WHERE gateway = $1", gateway);

    private async Task<long> Number(string sql, GatewayId gateway)
    {
        await using var command = _database.CreateCommand(sql);
        command.Parameters.AddWithValue(gateway.Value);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<Dictionary<string, long>> Rows()
    {
        await using var command = _database.CreateCommand(
            """
            SELECT c.relname::text, (xpath('/row/n/text()', query_to_xml(
                format('SELECT count(*) AS n FROM telemetry.%I', c.relname), false, true, '')))[1]::text::bigint
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'telemetry' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new Dictionary<string, long>();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return rows;
    }

    private static GatewayId Named(string name, int partition) => Enumerable.Range(1, 1000)
        .Select(number => GatewayId.Parse($"{name}-{number}")).First(g => g.Partition(Partitions) == partition);
}
