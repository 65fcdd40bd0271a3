using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing;
using Telemetry.TestKit.Messages;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Intake;

/// <summary>Who is served while every stream of every partition has more than fits.</summary>
public sealed class FairTransactionTests
{
    private const int Partitions = 4, ReadingsMax = 3_000, Commits = 40;

    [Theory]
    [InlineData(100, 100)]
    [InlineData(100, 800)]
    [InlineData(400, 400)]
    [InlineData(800, 100)]
    [InlineData(1_000, 1_000)]
    [InlineData(3_500, 3_500)]
    public void No_partition_and_no_backlog_waits_while_others_are_served(int liveReadings, int backlogReadings)
    {
        var served = Serve(liveReadings, backlogReadings);

        Assert.True(served.Count >= Commits);
        var live = Sums(served, c => c.Live);
        var backlog = Sums(served, c => c.Backlog);
        Assert.All(live, frames => Assert.InRange(frames, live.Max() / 2, live.Max()));
        Assert.All(backlog, frames => Assert.InRange(frames, backlog.Max() / 2, backlog.Max()));
        Assert.All(served, c => Assert.True(c.Sum(p => p.Backlog) > 0, "a transaction without backlog"));
        Assert.All(served, c => Assert.InRange(
            c.Sum(p => (p.Live * liveReadings) + (p.Backlog * backlogReadings)), 0,
            ReadingsMax + liveReadings + backlogReadings + (ReadingsMax / 10)));
    }

    private static long[] Sums(
        List<(long Live, long Backlog)[]> served, Func<(long Live, long Backlog), long> frames) =>
        [.. Enumerable.Range(0, Partitions).Select(p => served.Sum(c => frames(c[p])))];

    // What each of the first full transactions took of each partition.
    private static List<(long Live, long Backlog)[]> Serve(int liveReadings, int backlogReadings)
    {
        var pump = new Pump();
        var log = new SimulatedFrameLog(pump, new Random(1));
        var store = new SimulatedStore(pump, new Random(2));
        var options = new ProcessorOptions { Partitions = Partitions, BatchReadingsMax = ReadingsMax };
        var processor = new Processor(
            store, log, new SimulatedControlChannel(
                pump, new Random(3)), options, pump.Clock, new Random(4), NullLogger.Instance);
        var served = new List<(long, long)[]>();
        store.Fails = commit =>
        {
            // The first ones find the readers still empty; what comes after the first Commits may run dry.
            if (commit.Partitions.Count == Partitions && served.Count < Commits
                && commit.Partitions.TrueForAll(s => s.Expected.Live.Sequence > 0))
            {
                served.Add([.. commit.Partitions.Select(s => (
                    s.Live.Sequence - s.Expected.Live.Sequence, s.Backlog.Sequence - s.Expected.Backlog.Sequence))]);
            }

            return null;
        };
        pump.Run(async () =>
        {
            foreach (var (partition, gateway) in GatewayOfEach())
            {
                await log.EnsureStreamsAsync(partition, default);
                await FillAsync(log, partition, StreamKind.Live, gateway, Lane.Live, liveReadings);
                await FillAsync(log, partition, StreamKind.Backlog, gateway, Lane.Backlog, backlogReadings);
            }

            using var stop = new CancellationTokenSource();
            var running = processor.RunAsync(stop.Token);
            for (var i = 0; i < 600 && served.Count < Commits; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), pump.Clock);
            }

            stop.Cancel();
            await running;
        });
        return served;
    }

    private static IEnumerable<(int Partition, GatewayId Gateway)> GatewayOfEach() => Enumerable.Range(0, 1000)
        .Select(i => GatewayId.Parse($"gw-{i}"))
        .GroupBy(g => g.Partition(Partitions))
        .Select(g => (g.Key, g.First()));

    // Enough that no stream runs dry in so many transactions, whoever gets most.
    private static async Task FillAsync(
        SimulatedFrameLog log, int partition, StreamKind stream, GatewayId gateway, Lane lane, int readings)
    {
        var frames = (Commits + 20) * ((2 * ReadingsMax / readings) + 2) / 2;
        for (var i = 0; i < frames; i++)
        {
            var frame = SampleMessages.Frame(lane, 1 + (i * (long)readings), attempt: i + 1, readings);
            await log.AppendAsync(partition, stream, gateway, $"{stream} {i}", frame, default);
        }
    }
}
