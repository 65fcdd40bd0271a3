using System.Text.Json;
using Npgsql;
using Telemetry.Rehearsal.Plant;
using Telemetry.Testing.Servers;

namespace Telemetry.Benchmarks.EndToEnd;

/// <summary>
/// The whole chain as processes of its own on this machine: nats-server, PostgreSQL (commits forced to the disk), one
/// cloud process of role all, and one process with all gateways, each a real agent with an outbox file of its own.
/// </summary>
internal sealed class Chain : IAsyncDisposable
{
    private const string Password = "bench";
    private readonly TemporaryFolder _folder = new();
    private readonly StatusClient _status = new();
    private readonly DotnetProcess _cloud, _fleet;
    private readonly int _gateways, _mqttPort = FreePort.Next(), _cloudPort = FreePort.Next(), _fleetPort = FreePort.Next();
    private NatsServer? _nats;

    private Chain(int gateways)
    {
        _gateways = gateways;
        _cloud = Program("cloud", "Telemetry.Cloud");
        _fleet = Program("fleet", "Telemetry.Simulator");
        Directory.CreateDirectory(_folder.At("outboxes"));
    }

    public PostgresServer Postgres { get; private set; } = null!;

    /// <summary>Starts everything but the gateways.</summary>
    public static async Task<Chain> StartAsync(int gateways, IReadOnlyDictionary<string, string> postgresSettings)
    {
        var chain = new Chain(gateways);
        try
        {
            chain._nats = await NatsServer.Start();
            chain.Postgres = await PostgresServer.Start(new PostgresOptions { ForceToDisk = true, Settings = postgresSettings });
            await chain.StartCloudAsync();
            return chain;
        }
        catch
        {
            await chain.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the gateways, which offer so many readings a second in all; ends when all of them run.</summary>
    public async Task StartFleetAsync(int readingsPerSecond)
    {
        Write("fleet.json", new
        {
            fleet = new { gateways = _gateways, folder = _folder.At("outboxes") },
            uplink = new { host = "127.0.0.1", port = _mqttPort, password = Password },
            outbox = new { commitDeadline = "1 s" },
            // Numbers of five kinds: decimals, doubles of full precision, signed and unsigned integers, bools.
            generator = new
            {
                readingsPerSecond = Math.Max(1, readingsPerSecond / _gateways),
                devices = 4,
                seriesPerDevice = 5,
                interval = "1 s",
                commitDeadline = "1 s",
            },
            status = new { port = _fleetPort },
        });
        await _fleet.StartAsync(async c => await _status.TextAsync(_fleetPort, "/health/ready", c) is not null);
    }

    /// <summary>What the gateways keep stays in their outboxes.</summary>
    public Task StopFleetAsync() => _fleet.StopAsync();

    /// <summary>How everything stands at this moment.</summary>
    public async Task<ChainState> LookAsync()
    {
        var at = DateTimeOffset.UtcNow;
        var agents = await _status.AgentsAsync(_fleetPort, default);
        var commits = await _status.CounterAsync(_cloudPort, "telemetry_processor_commits_total", default) ?? 0;
        await using var connection = new NpgsqlConnection(Postgres.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT coalesce(sum(stored), 0)::bigint FROM telemetry.gateway", connection);
        return new ChainState(
            at,
            agents.Sum(a => a.Accepted),
            (long)(await command.ExecuteScalarAsync())!,
            (long)commits,
            CpuTime.Of(_nats!.Process.Id),
            CpuTime.OfFamily(Postgres.Process.Id),
            CpuTime.Of(_cloud.Id!.Value),
            CpuTime.Of(_fleet.Id!.Value));
    }

    public async ValueTask DisposeAsync()
    {
        await _fleet.DisposeAsync();
        await _cloud.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        if (_nats is not null)
        {
            await _nats.DisposeAsync();
        }

        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        _status.Dispose();
        await _folder.DisposeAsync();
    }

    private async Task StartCloudAsync()
    {
        var passwords = _folder.At("passwords");
        File.WriteAllLines(passwords, Enumerable.Range(1, _gateways).Select(i => $"gw-{i:00}:{Password}"));
        Write("cloud.json", new
        {
            role = "all",
            http = new { port = _cloudPort },
            nats = new { servers = _nats!.Url },
            database = new { connection = Postgres.ConnectionString },
            ingress = new { port = _mqttPort, gateways = passwords, plainPasswords = true },
        });
        await _cloud.StartAsync(async c => await _status.TextAsync(_cloudPort, "/health/ready", c) is not null);
    }

    private DotnetProcess Program(string name, string program) =>
        new(name, program, _folder.At(name), "run", "--config", _folder.At(name + ".json")) { AsInProduction = true };

    private void Write(string file, object content) => File.WriteAllText(_folder.At(file), JsonSerializer.Serialize(content));
}

/// <summary>Totals at one moment.</summary>
internal sealed record ChainState(
    DateTimeOffset At, long Accepted, long Stored, long Commits, TimeSpan Nats, TimeSpan Postgres, TimeSpan Cloud, TimeSpan Fleet);
