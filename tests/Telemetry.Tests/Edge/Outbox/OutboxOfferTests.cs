using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>What the outbox refuses, and that nobody else suffers from it.</summary>
public sealed class OutboxOfferTests
{
    private const int SegmentBytes = 17_010;

    [Fact]
    public void An_offer_beyond_the_quota_is_refused_and_named() => OutboxRig.Run(
        async rig =>
        {
            await rig.AcceptAsync(1000);
            var outcome = await rig.Offer(rig.Batch(1000));
            Assert.Equal(OfferRefusal.Quota, outcome.Refusal);
            Assert.Contains("outbox.quotaBytes", outcome.Reason, StringComparison.Ordinal);
            Assert.Equal(1000, rig.Outbox.Accepted);
        },
        new OutboxOptions { QuotaBytes = SegmentBytes });

    [Fact]
    public void Readings_that_wait_for_a_commit_count_against_the_quota() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            var first = rig.Offer(rig.Batch(1000), TimeSpan.FromSeconds(1));
            Assert.Equal(OfferRefusal.Quota, (await rig.Offer(rig.Batch(1000))).Refusal);
            Assert.True((await first).IsAccepted);
        },
        new OutboxOptions { QuotaBytes = SegmentBytes * 3 / 2 });

    [Fact]
    public void Freeing_frames_makes_room_again() => OutboxRig.Run(
        async rig =>
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(1000);
            Assert.False((await rig.Offer(rig.Batch(1000))).IsAccepted);
            rig.Outbox.Free(rig.Sealed[0]);
            Assert.True((await rig.Offer(rig.Batch(1000))).IsAccepted);
        },
        new OutboxOptions { QuotaBytes = SegmentBytes * 3 / 2 });

    [Fact]
    public void More_than_may_wait_is_refused() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            var first = rig.Offer(rig.Batch(60), TimeSpan.FromSeconds(1));
            Assert.Equal(OfferRefusal.Overload, (await rig.Offer(rig.Batch(60))).Refusal);
            Assert.True((await first).IsAccepted);
        },
        new OutboxOptions { WaitingReadingsMax = 100 });

    [Fact]
    public void An_invalid_reading_is_named_and_the_offers_of_others_go_on() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var good = rig.Offer(rig.Batch(5), TimeSpan.FromSeconds(1));
        var bad = rig.Batch(2);
        bad.Add(7, rig.Now, 1.0);
        var outcome = await rig.Offer(bad);

        Assert.Equal((OfferRefusal.Invalid, 2), (outcome.Refusal, outcome.Row));
        Assert.Contains("series index 7", outcome.Reason, StringComparison.Ordinal);
        Assert.True((await good).IsAccepted);
        Assert.Equal(5, rig.Outbox.Accepted);
    });

    [Theory]
    [InlineData(WireReader.TimeMax + 1, 0UL, (byte)0, "time")]
    [InlineData(WireReader.TimeMin - 1, 0UL, (byte)0, "time")]
    [InlineData(0L, 0UL, (byte)3, "flags")]
    [InlineData(0L, 0UL, (byte)16, "flags")]
    [InlineData(0L, 2UL, (byte)0, "bool")]
    public void What_no_frame_can_carry_is_invalid(long time, ulong bits, byte flags, string word) => OutboxRig.Run(
        async rig =>
        {
            var batch = new ReadingBatch();
            batch.Add(rig.Series("door", MetricType.Bool), time, bits, (ReadingFlags)flags);
            var outcome = await rig.Offer(batch);
            Assert.Equal(OfferRefusal.Invalid, outcome.Refusal);
            Assert.Contains(word, outcome.Reason, StringComparison.Ordinal);
        });

    [Fact]
    public void Text_that_is_no_text_is_invalid() => OutboxRig.Run(async rig =>
    {
        var series = rig.Series("note", MetricType.Text);
        var broken = new ReadingBatch();
        broken.AddText(series, 0, new byte[] { 0xff });
        Assert.Equal(OfferRefusal.Invalid, (await rig.Offer(broken)).Refusal);

        var stray = new ReadingBatch();
        stray.Add(series, 0, 99UL);
        Assert.Equal(OfferRefusal.Invalid, (await rig.Offer(stray)).Refusal);
    });

    [Fact]
    public void The_ends_of_time_and_null_readings_are_valid() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        var batch = new ReadingBatch();
        batch.Add(rig.Series(), WireReader.TimeMin, 1.5);
        batch.Add(rig.Series(), WireReader.TimeMax, double.NaN);
        batch.Add(rig.Series("note", MetricType.Text), 0, 0, ReadingFlags.Null | (ReadingFlags)Quality.Bad);
        Assert.True((await rig.Offer(batch)).IsAccepted);
        var (_, readings, _) = await rig.ReadAsync(Assert.Single(rig.Sealed));
        Assert.Equal(batch.Times.ToArray(), readings.Times.ToArray());
        Assert.Equal(batch.Bits.ToArray(), readings.Bits.ToArray());
        Assert.Equal(batch.Flags.ToArray(), readings.Flags.ToArray());
    });

    [Fact]
    public void An_empty_offer_is_accepted_at_once() => OutboxRig.Run(async rig =>
    {
        Assert.True((await rig.Offer(new ReadingBatch())).IsAccepted);
        Assert.Equal(0, rig.Disk.Commits);
    });

    [Fact]
    public void Options_are_refused_by_name() =>
        Assert.Contains(
            "SegmentBytesMax",
            Assert.Throws<ArgumentException>(() => OutboxRig.Run(
                _ => Task.CompletedTask, new OutboxOptions { SegmentBytesMax = 64 * 1024 })).Message,
            StringComparison.Ordinal);
}
