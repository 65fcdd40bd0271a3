using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Tests.Edge.Outbox;
using Xunit.Abstractions;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>
/// G10 on a slow link: while a backlog drains, a live reading is never more than max(2 s, 3 round trips) behind, from
/// the moment of the connection on. Behind is when the bytes of its frame have arrived at the cloud, less its event
/// time, so the second that it may wait for its commit counts too. On the simulated clock: outbox and uplink are real,
/// disk, link and cloud are simulated.
/// </summary>
public sealed class FreshFirstTests(ITestOutputHelper output)
{
    private const int LiveSeries = 5, BacklogSeries = 40;
    private static readonly TimeSpan LiveEvery = TimeSpan.FromMilliseconds(40);

    /// <summary>Bits a second, round trip in milliseconds, readings waiting.</summary>
    public static TheoryData<int, int, int> Links => new()
    {
        { 128_000, 300, 200_000 },
        { 20_000, 2000, 40_000 },
        { 1_000_000, 60, 200_000 },
    };

    [Theory]
    [MemberData(nameof(Links))]
    public void Live_readings_are_never_far_behind_while_a_backlog_drains(int bits, int roundTripMs, int backlog) =>
        OutboxRig.Run(async rig =>
        {
            var cloud = Cloud(rig, bits, roundTripMs);
            var limit = Limit(roundTripMs);
            await WaitingAsync(rig, backlog, new Random(2));
            using var stop = new CancellationTokenSource();
            var living = LiveAsync(rig, stop.Token);
            await rig.After(TimeSpan.FromSeconds(5));
            var sending = Agent(rig, cloud).RunAsync(stop.Token);
            await ConnectedAsync(rig, cloud, null);
            await rig.After(TimeSpan.FromSeconds(30));
            Judge("first contact", rig, cloud, limit);

            cloud.Link.Cut();
            await rig.After(TimeSpan.FromMinutes(5));
            await WaitingAsync(rig, backlog / 4, new Random(3));
            cloud.Link.Mend();
            await ConnectedAsync(rig, cloud, cloud.Link.ConnectedAt);
            await rig.After(TimeSpan.FromSeconds(30));
            Judge("reconnect", rig, cloud, limit);
            stop.Cancel();
            await living;
            await sending;
        });

    private static async Task ConnectedAsync(OutboxRig rig, FreshFirstCloud cloud, DateTimeOffset? before)
    {
        while (cloud.Link.ConnectedAt == before)
        {
            await rig.After(LiveEvery);
        }
    }

    private static TimeSpan Limit(int roundTripMs) => TimeSpan.FromMilliseconds(Math.Max(2000, 3 * roundTripMs));

    private static FreshFirstCloud Cloud(OutboxRig rig, int bits, int roundTripMs)
    {
        rig.Disk.BeforeDurable = () => new ValueTask(rig.After(TimeSpan.FromMilliseconds(10)));
        var cloud = new FreshFirstCloud(rig);
        cloud.Link.BytesPerSecond = bits / 8;
        cloud.Link.Delay = TimeSpan.FromMilliseconds(roundTripMs / 2.0);
        return cloud;
    }

    private static UplinkLoop Agent(OutboxRig rig, FreshFirstCloud cloud) => new(
        rig.Outbox, OutboxRig.Gateway, cloud.Link, new UplinkOptions(), rig.Clock, new Random(1), NullLogger.Instance);

    /// <summary>Readings of the past, with two decimals and much noise, in segments of 5,000.</summary>
    private static async Task WaitingAsync(OutboxRig rig, int count, Random random)
    {
        for (var i = LiveSeries; i < LiveSeries + BacklogSeries; i++)
        {
            _ = rig.Series($"waiting-{i}");
        }

        var values = new double[BacklogSeries];
        var batch = new ReadingBatch();
        var first = rig.Now - (count * 1_000L) - 10_000_000;
        for (var i = 0; i < count; i++)
        {
            var series = i % BacklogSeries;
            values[series] = random.Next(-20_000, 20_000);
            var time = first + (i / BacklogSeries * 40_000L);
            batch.Add(rig.Outbox.FindSeries(SeriesOf(series)), time, values[series] / 100);
            if (batch.Count == 5_000 || i == count - 1)
            {
                Assert.True((await rig.Offer(batch)).IsAccepted);
                batch.Clear();
            }
        }
    }

    private static SeriesDefinition SeriesOf(int series) =>
        new() { Device = "pump-1", Metric = $"waiting-{LiveSeries + series}", Type = MetricType.Float };

    private static async Task LiveAsync(OutboxRig rig, CancellationToken stop)
    {
        var random = new Random(4);
        for (var i = 0; i < LiveSeries; i++)
        {
            _ = rig.Series($"live-{i}");
        }

        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var batch = new ReadingBatch();
            batch.Add(
                rig.Series($"live-{i % LiveSeries}"), rig.Now, Math.Round(20 + random.NextDouble(), 2));
            _ = rig.Outbox.OfferAsync(batch, null, critical: false, CancellationToken.None).AsTask();
            await Task.Delay(LiveEvery, rig.Clock, CancellationToken.None);
        }
    }

    /// <summary>Every reading taken since the connection was made has arrived in time, or is not late yet.</summary>
    private void Judge(string what, OutboxRig rig, FreshFirstCloud cloud, TimeSpan limit)
    {
        var connected = Micros(cloud.Link.ConnectedAt!.Value);
        var taken = cloud.Arrivals.Where(a => a.Time >= connected).ToList();
        var worst = taken.Max(a => a.Arrived - a.Time) / 1e6;
        var due = (long)((rig.Now - connected - (limit.TotalSeconds * 1e6)) / (LiveEvery.TotalSeconds * 1e6));
        var frames = cloud.Frames.Where(f => f.Lane == Lane.Backlog).ToList();
        var used = frames.Skip(1).Sum(f => (double)f.Bytes)
            / ((frames[^1].At - frames[0].At).TotalSeconds * cloud.Link.BytesPerSecond);
        output.WriteLine(
            $"{what}: {taken.Count} live readings, worst {worst:0.000} s behind (limit {limit.TotalSeconds} s), "
            + $"backlog {frames.Sum(f => f.Readings)} readings in {frames.Count} frames "
            + $"of {frames.Average(f => f.Bytes):0} bytes, at {used:p0} of the link, {rig.Disk.Commits} commits");
        Assert.InRange(worst, 0, limit.TotalSeconds);
        Assert.InRange(used, 0.45, 1);
        Assert.True(taken.Count >= due, $"{taken.Count} of {due} live readings arrived");
        cloud.Arrivals.Clear();
        cloud.Frames.Clear();
    }

    private static long Micros(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
