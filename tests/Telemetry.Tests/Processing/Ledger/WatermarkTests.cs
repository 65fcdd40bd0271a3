using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Processing.Ledger;

namespace Telemetry.Tests.Processing.Ledger;

public class WatermarkTests
{
    private static Promise Promise(long w, long last, ulong digest = 0) =>
        new(w, [new(1, new LaneLasts(0, last, 0))], digest);

    [Fact]
    public void A_promise_counts_once_all_its_sequences_are_settled()
    {
        var watermark = new Watermark();
        watermark.Add(Promise(100, 5), long.MaxValue);
        Assert.False(watermark.Advance(0, e => e.Lasts.Live <= 4));
        Assert.True(watermark.Advance(0, e => e.Lasts.Live <= 5));
        Assert.Equal((100, 0), (watermark.Value, watermark.Pending));
    }

    [Fact]
    public void A_promise_counts_only_while_its_digest_is_the_ledgers()
    {
        var watermark = new Watermark();
        watermark.Add(Promise(100, 5, digest: 7), long.MaxValue);

        Assert.False(watermark.Advance(8, _ => true));
        Assert.True(watermark.Advance(7, _ => true));
    }

    [Fact]
    public void A_clock_that_runs_ahead_is_capped_at_the_time_of_receipt()
    {
        var watermark = new Watermark();
        watermark.Add(Promise(1_000_000, 1), 500);
        watermark.Advance(0, _ => true);

        Assert.Equal(500, watermark.Value);
    }

    [Fact]
    public void At_most_32_promises_wait_and_the_oldest_and_newest_stay()
    {
        var watermark = new Watermark();
        for (var i = 1; i <= 100; i++)
        {
            watermark.Add(Promise(i, i), long.MaxValue);
        }

        Assert.Equal(Watermark.PendingMax, watermark.Pending);
        Assert.True(watermark.Advance(0, e => e.Lasts.Live <= 1));
        Assert.Equal(1, watermark.Value);
        watermark.Advance(0, _ => true);
        Assert.Equal(100, watermark.Value);
    }
}
