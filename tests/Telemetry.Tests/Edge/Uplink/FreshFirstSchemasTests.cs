using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Readings;
using Telemetry.Tests.Edge.Outbox;
using Xunit.Abstractions;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>
/// G10 for a gateway whose series were found one after the other, so that its schemas are a long chain: as its agent
/// starts again (the cloud knows the chain), and at first contact (the chain goes up before the first live frame).
/// </summary>
public sealed class FreshFirstSchemasTests(ITestOutputHelper output)
{
    private const int LiveSeries = 5;
    private static readonly TimeSpan LiveEvery = TimeSpan.FromMilliseconds(40);

    [Theory]
    [InlineData(128_000, 300, 100, true)]
    [InlineData(1_000_000, 60, 300, true)]
    [InlineData(1_000_000, 60, 1000, true)]
    [InlineData(10_000_000, 20, 1000, true)]
    [InlineData(128_000, 300, 100, false)]
    [InlineData(1_000_000, 60, 300, false)]
    [InlineData(1_000_000, 60, 1000, false)]
    [InlineData(10_000_000, 20, 1000, false)]
    public void Live_readings_are_never_far_behind_where_series_came_one_by_one(
        int bits, int roundTripMs, int steps, bool known) => Judge(bits, roundTripMs, steps, known, newest: true);

    /// <summary>The link carries the whole chain in eight seconds.</summary>
    [Fact]
    public void Live_readings_wait_for_no_schema_that_they_do_not_need() =>
        Judge(128_000, 300, 1000, known: false, newest: false);

    private void Judge(int bits, int roundTripMs, int steps, bool known, bool newest) => OutboxRig.Run(async rig =>
    {
        for (var i = 0; i < steps; i++)
        {
            await rig.AcceptAsync(1, rig.Series($"step-{i}"));
        }

        rig.Disk.BeforeDurable = () => new ValueTask(rig.After(TimeSpan.FromMilliseconds(10)));
        var cloud = new FreshFirstCloud(rig);
        cloud.Link.BytesPerSecond = bits / 8;
        cloud.Link.Delay = TimeSpan.FromMilliseconds(roundTripMs / 2.0);
        if (known)
        {
            cloud.KnowSchemas();
        }

        using var stop = new CancellationTokenSource();
        var uplink = new UplinkLoop(
            rig.Outbox, OutboxRig.Gateway, cloud.Link, new UplinkOptions(), rig.Clock, new Random(1),
            NullLogger.Instance);
        var sending = uplink.RunAsync(stop.Token);
        var living = LiveAsync(rig, newest ? steps - LiveSeries : 0, stop.Token);
        await rig.After(TimeSpan.FromSeconds(20));
        stop.Cancel();
        await living;
        await sending;
        var connected = (cloud.Link.ConnectedAt!.Value - DateTimeOffset.UnixEpoch).TotalMicroseconds;
        var taken = cloud.Arrivals.Where(a => a.Time >= connected).ToList();
        var worst = taken.Max(a => a.Arrived - a.Time) / 1e6;
        output.WriteLine(
            $"{steps} steps at {bits / 1000} kbit/s, {roundTripMs} ms, {(known ? "known" : "new")}: "
            + $"{taken.Count} readings, worst {worst:0.000} s behind, "
            + $"schemas sent in LIVE {cloud.SchemasTaken[0]}, in BACKLOG {cloud.SchemasTaken[1]}");
        Assert.InRange(worst, 0, Math.Max(2, 3 * roundTripMs / 1000.0));
        Assert.True(taken.Count >= 400, $"{taken.Count} live readings arrived");
        Assert.True(!known || cloud.SchemasTaken[0] < 40, $"{cloud.SchemasTaken[0]} schemas were sent in vain");
    });

    private static async Task LiveAsync(OutboxRig rig, int first, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var batch = new ReadingBatch();
            batch.Add(rig.Series($"step-{first + (i % LiveSeries)}"), rig.Now, 20.0 + i);
            _ = rig.Outbox.OfferAsync(batch, null, critical: false, CancellationToken.None).AsTask();
            await Task.Delay(LiveEvery, rig.Clock, CancellationToken.None);
        }
    }
}
