using System.Globalization;
using System.Text.Json;
using Npgsql;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Relay;

/// <summary>A real broker, a real PostgreSQL, and two relays as processes of their own that can be killed.</summary>
public sealed class RelayCluster : IAsyncDisposable
{
    public const string Topic = "telemetry.alerts";
    public const string StateTopic = "telemetry.alerts.state";
    public const string CriticalTopic = "route.critical", FreshTopic = "route.fresh", SecondTopic = "route.second";

    private readonly TemporaryFolder _folder = new();
    private readonly StatusClient _status = new();
    private readonly int[] _ports = [FreePort.Next(), FreePort.Next()];
    private int _copies;

    private RelayCluster() => Relays = [.. _ports.Select((port, i) => new DotnetProcess(
        $"relay {i + 1}", "Telemetry.Cloud", _folder.At($"relay-{i + 1}"), "run", "--config", ConfigurationFile(i)))];

    public KafkaServer Kafka { get; private set; } = null!;

    public PostgresServer Postgres { get; private set; } = null!;

    public IReadOnlyList<DotnetProcess> Relays { get; }

    public static async Task<RelayCluster> StartAsync()
    {
        var cluster = new RelayCluster();
        try
        {
            var postgres = PostgresServer.Start(null);
            var kafka = KafkaServer.Start();
            (cluster.Postgres, cluster.Kafka) = (await postgres, await kafka);
            cluster.Configure();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a relay and waits until it leads or stands by.</summary>
    public Task StartRelayAsync(int which) => Relays[which].StartAsync(async c =>
        await _status.TextAsync(_ports[which], "/health/ready", c) is not null);

    /// <summary>Lets a relay stand still for as long as something else takes.</summary>
    public async Task FreezeAsync(int which, Func<Task> meanwhile)
    {
        Relays[which].Signal(ProcessSignal.Stop);
        try
        {
            await meanwhile();
        }
        finally
        {
            Relays[which].Signal(ProcessSignal.Continue);
        }
    }

    /// <summary>A counter or gauge of a relay; null while it is down.</summary>
    public Task<double?> CounterAsync(int which, string name, CancellationToken cancellationToken) =>
        _status.CounterAsync(_ports[which], name, cancellationToken);

    public async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(Postgres.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public async Task<long> NumberAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }

    /// <summary>A copy of the database's files, server down for it.</summary>
    public async Task<string> CopyDatabaseAsync()
    {
        var copy = _folder.At($"database-{++_copies}");
        await Postgres.Stop();
        await Postgres.CopyDataDirectory(copy);
        await Postgres.Start();
        return copy;
    }

    /// <summary>Puts a copy in the place of the database, and starts it.</summary>
    public async Task PutBackAsync(string copy)
    {
        await Postgres.Kill();
        await Postgres.ReplaceDataDirectory(copy);
        await Postgres.Start();
    }

    /// <summary>What a consumer of either isolation sees now.</summary>
    public List<AlertSeen> Consume(bool committedOnly, string topic = Topic) =>
        TopicConsumer.ReadAll(Kafka.Address, topic, committedOnly);

    public async ValueTask DisposeAsync()
    {
        foreach (var relay in Relays)
        {
            await relay.DisposeAsync();
        }

        if (Kafka is not null)
        {
            await Kafka.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        _status.Dispose();
        await _folder.DisposeAsync();
    }

    private string ConfigurationFile(int which) => _folder.At($"relay-{which + 1}.json");

    private void Configure()
    {
        var routes = _folder.At("routes.json");
        File.WriteAllText(routes, JsonSerializer.Serialize(new
        {
            routes = new object[]
            {
                new { name = "critical", topics = new[] { CriticalTopic }, form = "thin", @continue = true,
                    match = new { severity = new[] { "critical" } } },
                new { name = "fresh", topics = new[] { FreshTopic }, @continue = true, match = new { late = false } },
                new { name = "second", topics = new[] { SecondTopic }, match = new { gateway = "gw-2" } },
            },
        }));
        for (var i = 0; i < _ports.Length; i++)
        {
            File.WriteAllText(ConfigurationFile(i), JsonSerializer.Serialize(new
            {
                role = "relay",
                http = new { port = _ports[i] },
                database = new { connection = Postgres.ConnectionString },
                kafka = new { servers = Kafka.Address, alertTopic = Topic, routes, transactionTimeout = "10 s" },
                // Small batches: many transactions, so that kills strike inside of them.
                relay = new
                {
                    owner = $"relay-{i + 1}",
                    lease = "2 s",
                    renewEvery = "500 ms",
                    leaseRetry = "250 ms",
                    pollEvery = "20 ms",
                    batchRowsMax = 20,
                    retryAfterMax = "1 s",
                },
            }));
        }
    }
}
