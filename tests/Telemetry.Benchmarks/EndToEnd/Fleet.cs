using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks.EndToEnd;

/// <summary>
/// All gateways in one process, each a real agent with an outbox file of its own that it commits once a second.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    private static readonly TimeSpan StandstillMax = TimeSpan.FromMinutes(1), LookEvery = TimeSpan.FromMilliseconds(
        200);

    private readonly Backend _backend;
    private readonly DotnetProcess _process;
    private readonly int _gateways, _statusPort = FreePort.Next();

    public Fleet(Backend backend, int gateways)
    {
        (_backend, _gateways) = (backend, gateways);
        _process = backend.Program("fleet", "Telemetry.Simulator");
        Directory.CreateDirectory(backend.At("outboxes"));
    }

    /// <summary>The gateways' names.</summary>
    public static IEnumerable<string> Names(int gateways) => Enumerable.Range(1, gateways).Select(i => $"gw-{i:00}");

    /// <summary>Starts them, which then offer so many readings a second in all; ends when all of them run.</summary>
    public async Task StartAsync(int readingsPerSecond)
    {
        _backend.Write("fleet.json", new
        {
            fleet = new { gateways = _gateways, folder = _backend.At("outboxes") },
            uplink = new { host = "127.0.0.1", port = _backend.MqttPort, password = Backend.Password },
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
            status = new { port = _statusPort },
        });
        await _process.StartAsync(
            async c => await _backend.Status.TextAsync(_statusPort, "/health/ready", c) is not null);
    }

    /// <summary>What the gateways keep stays in their outboxes.</summary>
    public Task StopAsync() => _process.StopAsync();

    /// <summary>
    /// How everything stands as soon as more is accepted and stored than before; throws when that takes a minute.
    /// </summary>
    public async Task<ChainState> LookWhenMoreIsStoredAsync(ChainState before)
    {
        for (var until = DateTimeOffset.UtcNow + StandstillMax; DateTimeOffset.UtcNow < until;)
        {
            var now = await LookAsync();
            if (now.Stored > before.Stored && now.Accepted > before.Accepted)
            {
                return now;
            }

            await Task.Delay(LookEvery);
        }

        throw new TimeoutException($"nothing more than {before.Stored} readings was stored in {StandstillMax}");
    }

    /// <summary>How everything stands at this moment.</summary>
    public async Task<ChainState> LookAsync()
    {
        var at = DateTimeOffset.UtcNow;

        // What is stored first: what is accepted meanwhile rather counts as waiting.
        var stored = await _backend.StoredAsync();
        var agents = await _backend.Status.AgentsAsync(_statusPort, default);
        return new ChainState(
            at,
            agents.Sum(a => a.Accepted),
            stored,
            (long)await _backend.CounterAsync("telemetry_processor_commits_total"),
            _backend.NatsCpu,
            _backend.PostgresCpu,
            _backend.CloudCpu,
            CpuTime.Of(_process.Id!.Value));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>Totals at one moment.</summary>
internal sealed record ChainState(
    DateTimeOffset At, long Accepted, long Stored, long Commits, TimeSpan Nats, TimeSpan Postgres, TimeSpan Cloud,
    TimeSpan Fleet);
