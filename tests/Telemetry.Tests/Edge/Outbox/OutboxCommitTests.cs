using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>When the outbox commits, and whom it tells what (G1).</summary>
public sealed class OutboxCommitTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Offer_completes_only_after_its_commit_is_durable() => OutboxRig.Run(async rig =>
    {
        var durable = new TaskCompletionSource();
        rig.Disk.BeforeDurable = () => new ValueTask(durable.Task);
        rig.Series();
        var offer = rig.Offer(rig.Batch(3));
        await rig.After(TimeSpan.FromHours(2));

        Assert.False(offer.IsCompleted);
        Assert.Equal(0, rig.Outbox.Accepted);

        durable.SetResult();
        Assert.True((await offer).IsAccepted);
        Assert.Equal(3, rig.Outbox.Accepted);
        Assert.Equal(3, rig.Disk.Snapshot().Accepted);
    });

    [Fact]
    public void Offers_within_a_deadline_share_one_commit() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var first = rig.Offer(rig.Batch(), Second);
        await rig.After(Second / 2);
        var second = rig.Offer(rig.Batch(), Second);
        await Task.WhenAll(first, second);

        Assert.Equal(Second, rig.Clock.Elapsed);
        Assert.Equal(1, rig.Disk.Commits);
        Assert.Equal(2, Assert.Single(rig.Disk.LastCommit!.Segments).Count);
    });

    [Fact]
    public void The_shortest_deadline_of_those_who_wait_decides() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var patient = rig.Offer(rig.Batch(), Second);
        await rig.Offer(rig.Batch(), Second / 10);
        Assert.Equal(Second / 10, rig.Clock.Elapsed);
        await patient;
        Assert.Equal(Second / 10, rig.Clock.Elapsed);
    });

    [Fact]
    public void A_longer_deadline_than_the_options_is_cut() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        await rig.Offer(rig.Batch(), TimeSpan.FromMinutes(5));
        Assert.Equal(Second, rig.Clock.Elapsed);
    });

    [Fact]
    public void A_full_segment_is_committed_before_its_deadline() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            var first = rig.Offer(rig.Batch(99), Second);
            Assert.Equal(0, rig.Disk.Commits);
            await rig.Offer(rig.Batch(1), Second);
            Assert.Equal(TimeSpan.Zero, rig.Clock.Elapsed);
            Assert.True(first.IsCompleted);
        },
        new OutboxOptions { SegmentReadingsMax = 100 });

    // Plain columns of so many would take over 130 KB: their estimate made such a commit due at 3,600 readings.
    [Fact]
    public void Numbers_wait_for_their_deadline_until_there_are_as_many_as_a_segment_holds() =>
        OutboxRig.Run(async rig =>
        {
            rig.Series();
            var first = rig.Offer(rig.Batch(8191), Second);
            await rig.After(Second / 2);
            Assert.Equal(0, rig.Disk.Commits);

            await rig.Offer(rig.Batch(), Second);
            Assert.Equal((Second / 2, 1), (rig.Clock.Elapsed, rig.Disk.Commits));
            Assert.True(first.IsCompleted);
            Assert.Equal(8192, Assert.Single(rig.Disk.LastCommit!.Segments).Count);
        });

    [Fact]
    public void Texts_that_fill_a_segment_are_committed_before_their_deadline() => OutboxRig.Run(
        async rig =>
        {
            var series = rig.Series("note", MetricType.Text);
            var first = rig.Offer(Text(), Second);
            Assert.Equal(0, rig.Disk.Commits);
            await rig.Offer(Text(), Second);
            Assert.Equal((TimeSpan.Zero, 1), (rig.Clock.Elapsed, rig.Disk.Commits));
            Assert.True(first.IsCompleted);

            ReadingBatch Text()
            {
                var batch = new ReadingBatch();
                batch.AddText(series, rig.Now, new string('x', 4096));
                return batch;
            }
        },
        new OutboxOptions { SegmentBytesMax = 8 * 1024 });

    [Fact]
    public void A_commit_that_fills_frames_of_version_0_makes_several() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(8192);

        Assert.Equal(1, rig.Disk.Commits);
        Assert.Equal(3, rig.Sealed.Count);
        Assert.Equal(8192, rig.Sealed.Sum(f => f.Key.Count));
        Assert.All(rig.Sealed, frame => Assert.InRange(frame.Bytes, 1, 64 * 1024));
    });

    [Fact]
    public void What_comes_during_a_commit_goes_with_the_next() => OutboxRig.Run(async rig =>
    {
        rig.Disk.BeforeDurable = async () => await rig.After(Second);
        rig.Series();
        var first = rig.Offer(rig.Batch());
        var second = rig.Offer(rig.Batch(2));
        var third = rig.Offer(rig.Batch(3));
        await first;
        Assert.Equal(1, rig.Outbox.Accepted);
        await Task.WhenAll(second, third);
        Assert.Equal(6, rig.Outbox.Accepted);
        Assert.Equal(2, rig.Disk.Commits);
    });

    [Fact]
    public void An_offer_larger_than_a_segment_becomes_several_in_one_commit() => OutboxRig.Run(
        async rig =>
        {
            await rig.AcceptAsync(250);
            Assert.Equal(1, rig.Disk.Commits);
            Assert.Equal([100, 100, 50], rig.Disk.LastCommit!.Segments.Select(s => s.Count));
            Assert.Equal(250, rig.Outbox.UnsealedReadings);
        },
        new OutboxOptions { SegmentReadingsMax = 100 });

    [Fact]
    public void Long_texts_are_cut_by_bytes() => OutboxRig.Run(async rig =>
    {
        var series = rig.Series("note", MetricType.Text);
        var batch = new ReadingBatch();
        for (var i = 0; i < 100; i++)
        {
            batch.AddText(series, rig.Now + i, new string('x', 4000));
        }

        rig.Outbox.LinkUp = true;
        await rig.Offer(batch);
        Assert.All(rig.Sealed, frame => Assert.InRange(frame.Bytes, 1, 64 * 1024));
        Assert.Equal(100, rig.Sealed.Sum(f => f.Key.Count));
        Assert.Equal(7, rig.Sealed.Count);
    });

    [Fact]
    public void An_offer_is_copied_before_it_returns() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        rig.Outbox.LinkUp = true;
        var batch = rig.Batch(2, firstTime: 1000);
        var offer = rig.Offer(batch, Second);
        batch.Clear();
        batch.Add(0, 5, 5.0);
        await offer;
        var (_, readings, _) = await rig.ReadAsync(Assert.Single(rig.Sealed));
        Assert.Equal([1000L, 1001], readings.Times.ToArray());
    });

    [Fact]
    public void A_failed_commit_fails_every_offer_and_breaks_the_outbox() => OutboxRig.Run(async rig =>
    {
        rig.Disk.BeforeDurable = async () => await rig.After(Second);
        rig.Disk.FailCommits(1, happenAnyway: false);
        rig.Series();
        var committing = rig.Offer(rig.Batch());
        var waiting = rig.Offer(rig.Batch());

        Assert.True((await Assert.ThrowsAsync<OutboxException>(() => committing)).IsTransient);
        await Assert.ThrowsAsync<OutboxException>(() => waiting);
        Assert.IsType<IOException>((await rig.Outbox.Failed).InnerException);
        await Assert.ThrowsAsync<OutboxException>(() => rig.Offer(rig.Batch()));
        Assert.Equal(0, rig.Outbox.Accepted);
    });

    [Fact]
    public void A_commit_that_happened_although_it_failed_is_counted_when_reopened() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(2);
        rig.Disk.FailCommits(1, happenAnyway: true);
        await Assert.ThrowsAsync<OutboxException>(() => rig.AcceptAsync(3));
        await rig.OpenAsync();
        Assert.Equal(5, rig.Outbox.Accepted);
        Assert.Equal(5, rig.Outbox.UnsealedReadings);
    });

    [Fact]
    public void Cancelling_ends_the_waiting_and_not_the_commit() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        using var cancel = new CancellationTokenSource();
        var offer = rig.Outbox.OfferAsync(rig.Batch(), Second, false, cancel.Token).AsTask();
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => offer);
        await rig.After(Second * 2);
        Assert.Equal(1, rig.Outbox.Accepted);
    });

    [Fact]
    public void Closing_commits_what_waits() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var offer = rig.Offer(rig.Batch(4), Second);
        await rig.Outbox.DisposeAsync();
        Assert.True((await offer).IsAccepted);
        Assert.Equal(4, rig.Disk.Snapshot().Accepted);
        Assert.Equal(TimeSpan.Zero, rig.Clock.Elapsed);
    });

    [Fact]
    public void Closing_gives_up_on_a_disk_that_hangs() => OutboxRig.Run(async rig =>
    {
        rig.Disk.BeforeDurable = () => new ValueTask(new TaskCompletionSource().Task);
        rig.Series();
        var offer = rig.Offer(rig.Batch());
        await rig.Outbox.DisposeAsync();
        await Assert.ThrowsAsync<OutboxException>(() => offer);
        Assert.Equal(rig.Options.CloseTimeout, rig.Clock.Elapsed);
    });

    [Fact]
    public void Critical_readings_are_sealed_at_once_with_the_link_down() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        var ordinary = rig.Offer(rig.Batch(2), Second);
        var critical = rig.Outbox.OfferAsync(rig.Batch(1), null, true, CancellationToken.None).AsTask();
        await critical;
        Assert.Equal(TimeSpan.Zero, rig.Clock.Elapsed);
        Assert.True(ordinary.IsCompleted);
        Assert.Equal(Lane.Critical, Assert.Single(rig.Sealed).Key.Lane);
        Assert.Equal(2, rig.Outbox.UnsealedReadings);
    });

    [Fact]
    public void With_the_link_up_a_commit_seals_a_live_frame() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(5);
        var frame = Assert.Single(rig.Sealed);
        Assert.Equal((Lane.Live, 1L, 5), (frame.Key.Lane, frame.Key.First, frame.Key.Count));
        Assert.Empty(rig.Disk.LastCommit!.Segments);
        Assert.Same(frame, rig.Outbox.Find(frame.Id));
        await rig.AcceptAsync(3);
        Assert.Equal(6, rig.Sealed[1].Key.First);
        Assert.Equal(2, rig.Disk.Commits);
    });
}
