using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Inputs.Generator;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Runtime;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Edge;

/// <summary>
/// G10 with everything real but the line: agent, SQLite, TCP, ingress, nats-server, processor, PostgreSQL. Behind is
/// when the frame of a reading was stored, by the database, less its event time. Time is the machine's here, so that
/// limits are wide and grow with how long the machine itself stood still; the strict ones are in FreshFirstTests.
/// TELEMETRY_SLOW_LINK="bits-a-second round-trip-ms waiting seconds" measures another line, for longer.
/// </summary>
public sealed class SlowLinkTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);
    private static readonly string[] Line =
        (Environment.GetEnvironmentVariable("TELEMETRY_SLOW_LINK") ?? "128000 300 200000 5").Split(' ');

    private readonly TemporaryFolder _folder = new();
    private readonly int _bits = Number(0), _roundTripMs = Number(1), _waiting = Number(2), _seconds = Number(3);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [ServersFact(nats: true, postgres: true)]
    public async Task Live_readings_are_stored_soon_while_a_backlog_drains_at_first_contact_and_later()
    {
        await FillAsync();
        await using var cloud = await AgentAndCloud.Start();
        await using var line = new FaultProxy(cloud.MqttPort) { Delay = TimeSpan.FromMilliseconds(_roundTripMs / 2.0) };
        line.LimitBandwidth(Direction.ToServer, _bits / 8);
        line.LimitBandwidth(Direction.ToClient, _bits / 8);
        using var loop = new EventLoop("agent");
        using var stop = new CancellationTokenSource();
        var agent = new EdgeAgent(Options(line.Port), TimeProvider.System, new Random(1), NullLogger.Instance);
        var running = loop.RunAsync(() => agent.RunAsync(stop.Token));

        await JudgeAsync("first contact", cloud, loop, agent);
        line.Cut(CutKind.Reset);
        await Task.Delay(TimeSpan.FromSeconds(2));
        line.Heal();
        await JudgeAsync("reconnect", cloud, loop, agent);

        await stop.CancelAsync();
        await running;
    }

    private static int Number(int i) => int.Parse(Line[i], CultureInfo.InvariantCulture);

    private async Task JudgeAsync(string what, AgentAndCloud cloud, EventLoop loop, EdgeAgent agent)
    {
        await Until(async () => await loop.RunAsync(() => Task.FromResult(agent.Status().LinkUp)));
        var connected = DateTime.UtcNow;
        using var ended = new CancellationTokenSource();
        var stalls = StallsAsync(ended.Token);
        await Task.Delay(TimeSpan.FromSeconds(_seconds));
        var since = connected.ToString("O", CultureInfo.InvariantCulture);
        string[] row = [];
        await Until(async () =>
        {
            row = (await cloud.Row(
                $"""
                SELECT concat_ws(' ', count(*) FILTER (WHERE lane = 1),
                    coalesce(max(extract(epoch FROM stored_at - time_first)), 0),
                    coalesce(extract(epoch FROM max(time_last) - '{since}'), 0),
                    (SELECT coalesce(sum(stored), 0) FROM telemetry.frame_register WHERE lane = 2))
                FROM telemetry.frame_register WHERE time_first >= '{since}'
                """)).Split(' ');
            return double.Parse(row[2], CultureInfo.InvariantCulture) >= _seconds - 2;
        });
        await ended.CancelAsync();
        var (worst, stall) = (double.Parse(row[1], CultureInfo.InvariantCulture), (await stalls).TotalSeconds);
        var limit = Math.Max(2, 3 * _roundTripMs / 1000.0);
        output.WriteLine(
            $"{what}: {row[0]} live frames of {_seconds} s, worst {worst:0.00} s behind (limit {limit}), the machine "
            + $"stood still for {stall:0.00} s, {row[3]} readings of backlog stored");
        Assert.InRange(worst, 0, (2 * limit) + 2 + (5 * stall));
    }

    private AgentOptions Options(int port) => new()
    {
        Gateway = AgentAndCloud.Gateway,
        OutboxFile = _folder.At("outbox"),
        Uplink = new() { Host = "127.0.0.1", Port = port, Password = AgentAndCloud.Password },
        Inputs = [new GeneratorOptions { ReadingsPerSecond = 25, CommitDeadline = TimeSpan.FromSeconds(1) }],
    };

    /// <summary>Readings of the last hours, with much noise, in segments of 5,000.</summary>
    private async Task FillAsync()
    {
        var file = await SqliteOutboxFile.OpenAsync(_folder.At("outbox"), null, default);
        await using var outbox = await ReadingOutbox.OpenAsync(
            file, AgentAndCloud.Gateway, new OutboxOptions(), TimeProvider.System, new Random(1), default);
        var (random, batch) = (new Random(2), new ReadingBatch());
        var first = (DateTimeOffset.UtcNow.AddHours(-8) - DateTimeOffset.UnixEpoch).Ticks / 10;
        for (var i = 0; i < _waiting; i++)
        {
            var series = new SeriesDefinition
            {
                Device = "waiting",
                Metric = $"m{i % 40}",
                Type = MetricType.Float,
            };
            batch.Add(outbox.SeriesIndex(series), first + (i / 40 * 1_000_000L), random.Next(-20_000, 20_000) / 100.0);
            if (batch.Count == 5000 || i == _waiting - 1)
            {
                Assert.True((await outbox.OfferAsync(batch, TimeSpan.Zero, false, default)).IsAccepted);
                batch.Clear();
            }
        }
    }

    /// <summary>How long the machine let a thread wait that was due, at most.</summary>
    private static async Task<TimeSpan> StallsAsync(CancellationToken ended)
    {
        var worst = TimeSpan.Zero;
        while (!ended.IsCancellationRequested)
        {
            var since = Stopwatch.GetTimestamp();
            await Task.Delay(20, CancellationToken.None);
            var late = Stopwatch.GetElapsedTime(since);
            worst = late > worst ? late : worst;
        }

        return worst;
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(Within);
        while (!await holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }
    }
}
