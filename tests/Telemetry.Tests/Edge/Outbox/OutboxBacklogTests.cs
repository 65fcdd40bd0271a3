using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>How what waited unsealed is merged into backlog frames.</summary>
public sealed class OutboxBacklogTests
{
    [Fact]
    public void Small_segments_become_one_frame_sorted_by_series_and_time() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(2, series: 1, firstTime: 100);
        await rig.AcceptAsync(2, series: 0, firstTime: 200);
        await rig.AcceptAsync(2, series: 1, firstTime: 50);

        Assert.Equal(1, await rig.SealAsync());
        var (header, readings, _) = await rig.ReadAsync(Assert.Single(rig.Sealed));
        Assert.Equal((Lane.Backlog, 1L, 6), (header.Key.Lane, header.Key.First, header.Key.Count));
        Assert.Equal([0, 0, 1, 1, 1, 1], readings.Series.ToArray());
        Assert.Equal([200L, 201, 50, 51, 100, 101], readings.Times.ToArray());
        Assert.Equal(0, rig.Outbox.UnsealedReadings);
        Assert.Equal([1L, 2, 3], rig.Disk.LastCommit!.RemovedSegments);
    });

    [Fact]
    public void No_frame_has_more_readings_than_asked() => OutboxRig.Run(async rig =>
    {
        for (var i = 0; i < 10; i++)
        {
            await rig.AcceptAsync(30);
        }

        Assert.Equal(4, await rig.SealAsync(readingsMax: 90));
        Assert.Equal([90, 90, 90, 30], rig.Sealed.Select(f => f.Key.Count));
        Assert.Equal([1L, 91, 181, 271], rig.Sealed.Select(f => f.Key.First));
    });

    [Fact]
    public void No_more_frames_than_asked_are_sealed_in_one_call() => OutboxRig.Run(async rig =>
    {
        for (var i = 0; i < 10; i++)
        {
            await rig.AcceptAsync(30, firstTime: i * 1000);
        }

        Assert.Equal(2, await rig.SealAsync(framesMax: 2, readingsMax: 30));
        Assert.Equal(240, rig.Outbox.UnsealedReadings);
        Assert.Equal([0L, 1000], rig.Sealed.Select(f => f.TimeFirst));
        Assert.Equal(1, await rig.SealAsync());
        Assert.Equal(2000, rig.Sealed[2].TimeFirst);
    });

    [Fact]
    public void A_segment_that_needs_more_frames_than_asked_is_sealed_whole() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(100);
        Assert.Equal(4, await rig.SealAsync(framesMax: 1, readingsMax: 30));
        Assert.Equal([30, 30, 30, 10], rig.Sealed.Select(f => f.Key.Count));
        Assert.Equal(0, rig.Outbox.UnsealedReadings);
    });

    [Fact]
    public void No_frame_is_over_64_KiB() => OutboxRig.Run(async rig =>
    {
        var note = rig.Series("note", MetricType.Text);
        for (var i = 0; i < 6; i++)
        {
            var batch = new ReadingBatch();
            for (var j = 0; j < 30; j++)
            {
                batch.AddText(note, rig.Now + j, new string('y', 100 * (i + j)));
            }

            await rig.Offer(batch);
        }

        await rig.SealAsync();
        Assert.Equal(180, rig.Sealed.Sum(f => f.Key.Count));
        Assert.All(rig.Sealed, f => Assert.InRange(f.Bytes, 1, FrameHeader.BytesMax));
        Assert.True(rig.Sealed.Count >= 5);
    });

    [Fact]
    public void Flags_that_grow_merged_columns_never_break_a_frame() => OutboxRig.Run(async rig =>
    {
        // One flagged reading makes the merged group a byte a reading larger than its segments were.
        rig.Series();
        await rig.Offer(rig.Batch(3800, firstTime: 10));
        var flagged = new ReadingBatch();
        flagged.Add(0, 5, 0, ReadingFlags.Null);
        await rig.Offer(flagged);
        await rig.SealAsync();
        Assert.Equal(3801, rig.Sealed.Sum(f => f.Key.Count));
        Assert.All(rig.Sealed, f => Assert.InRange(f.Bytes, 1, FrameHeader.BytesMax));
    });

    [Fact]
    public void Live_readings_go_in_the_commit_that_seals_backlog() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(5);
        rig.Outbox.LinkUp = true;
        var live = rig.Offer(rig.Batch(3), TimeSpan.FromSeconds(1));
        await rig.SealAsync();
        Assert.True(live.IsCompleted);
        Assert.Equal([Lane.Backlog, Lane.Live], rig.Sealed.Select(f => f.Key.Lane));
        Assert.Equal(2, rig.Disk.Commits);
    });

    [Fact]
    public void Nothing_to_seal_is_no_commit() => OutboxRig.Run(async rig =>
    {
        Assert.Equal(0, await rig.SealAsync());
        Assert.Equal(0, rig.Disk.Commits);
    });

    [Fact]
    public void A_damaged_segment_is_declared_series_by_series() => OutboxRig.Run(async rig =>
    {
        rig.Series("a");
        rig.Series("b");
        var mixed = rig.Batch(3, series: 1, firstTime: 100);
        mixed.Add(0, 50, 1.0);
        await rig.Offer(mixed);
        await rig.AcceptAsync(4, firstTime: 500);
        rig.Disk.DamageSegment(1, countsToo: false);

        Assert.Equal(2, await rig.SealAsync());
        var (header, readings, declarations) = await rig.ReadAsync(rig.Sealed[0]);
        Assert.Equal((FrameKind.Tombstone, 4, 4), (header.Kind, header.Key.Count, header.Dropped));
        Assert.Equal(0, readings.Count);
        Assert.Equal(
            [new Declaration(0, 1, 50, 102, DropReason.Damaged), new Declaration(1, 3, 50, 102, DropReason.Damaged)],
            declarations);
        Assert.Equal(4, (await rig.ReadAsync(rig.Sealed[1])).Readings.Count);
        Assert.Equal(0, rig.Outbox.UnsealedReadings);
    });

    [Fact]
    public void A_segment_damaged_with_its_counts_is_declared_all_the_same() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(4, series: 1, firstTime: 100);
        rig.Disk.DamageSegment(1, countsToo: true);
        await rig.SealAsync();
        var (_, _, declarations) = await rig.ReadAsync(Assert.Single(rig.Sealed));
        Assert.Equal([new Declaration(1, 4, 100, 103, DropReason.Damaged)], declarations);
    });

    [Fact]
    public void Segments_of_an_earlier_run_go_up_in_the_new_epoch() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1);
        var earlier = rig.Sealed[0].Key.Epoch;
        rig.Outbox.LinkUp = false;
        await rig.AcceptAsync(5);

        await rig.OpenAsync();
        Assert.Equal(5, rig.Outbox.UnsealedReadings);
        await rig.SealAsync();
        var frame = Assert.Single(rig.Sealed);
        Assert.NotEqual(earlier, frame.Key.Epoch);
        Assert.Equal((1L, 5), (frame.Key.First, frame.Key.Count));
        Assert.Equal([earlier, frame.Key.Epoch], rig.Outbox.Held.Select(f => f.Key.Epoch));
    });

    [Fact]
    public void Sealing_twice_at_once_is_refused() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(1);
        rig.Disk.BeforeDurable = async () => await rig.After(TimeSpan.FromSeconds(1));
        var first = rig.SealAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.SealAsync());
        Assert.Equal(1, await first);
    });
}
