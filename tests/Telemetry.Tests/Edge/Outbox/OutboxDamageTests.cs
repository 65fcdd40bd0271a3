using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>Frames whose bytes are damaged, or refused by the cloud: never silence (G5).</summary>
public sealed class OutboxDamageTests
{
    private static readonly OutboxOptions NoCache =
        new() { CacheBytesMax = 0, IdleCommitInterval = TimeSpan.FromHours(1) };

    [Fact]
    public void A_damaged_frame_that_was_never_sent_becomes_a_tombstone() => OutboxRig.Run(
        async rig =>
        {
            var frame = await SealAsync(rig);
            var original = await rig.HeaderAsync(frame);
            rig.Disk.DamageFrame(frame.Id);
            Assert.Null(await rig.Outbox.ReadAsync(frame, default));

            var tombstone = rig.Sealed[1];
            Assert.True(frame.Freed);
            Assert.Same(tombstone, rig.Outbox.Find(frame.Id));
            Assert.Equal([tombstone], rig.Outbox.Held);
            var (header, _, declarations) = await rig.ReadAsync(tombstone);
            Assert.Equal((FrameKind.Tombstone, frame.Key, 5), (header.Kind, header.Key, header.Dropped));
            Assert.Equal(original.Predecessor, header.Predecessor);
            Assert.Equal(
                [new Declaration(
                    0, 2, 100, 202, DropReason.Damaged), new Declaration(1, 3, 100, 202, DropReason.Damaged)],
                declarations);
        },
        NoCache);

    [Fact]
    public void A_damaged_frame_that_may_stand_in_the_log_stays_without_bytes() => OutboxRig.Run(
        async rig =>
        {
            var sent = await SealAsync(rig);
            var receipted = await SealAsync(rig);
            sent.Attempts = 1;
            rig.Outbox.NoteReceipt(receipted, new Receipt(StreamKind.Live, 1));
            foreach (var frame in new[] { sent, receipted })
            {
                rig.Disk.DamageFrame(frame.Id);
                Assert.Null(await rig.Outbox.ReadAsync(frame, default));
                Assert.False(frame.Held);
                Assert.Same(frame, rig.Outbox.Find(frame.Id));
            }

            Assert.Equal(0, rig.Outbox.StoredBytes);
            Assert.Equal(2, rig.Sealed.Count);
        },
        NoCache);

    [Fact]
    public void A_damaged_frame_of_an_earlier_run_stays_without_bytes() => OutboxRig.Run(async rig =>
    {
        await SealAsync(rig);
        await rig.OpenAsync();
        var frame = rig.Outbox.Held.Single();
        rig.Disk.DamageFrame(frame.Id);
        Assert.Null(await rig.Outbox.ReadAsync(frame, default));
        Assert.False(frame.Held);
        Assert.Empty(rig.Sealed);
    });

    [Fact]
    public void A_refused_frame_goes_to_quarantine_and_a_tombstone_takes_its_range() => OutboxRig.Run(async rig =>
    {
        var frame = await SealAsync(rig);
        var bytes = (await rig.Outbox.ReadAsync(frame, default))!.Value.ToArray();
        await rig.Outbox.QuarantineAsync(frame, "0x99 payload format invalid", default);

        Assert.True(frame.Freed);
        var (header, _, declarations) = await rig.ReadAsync(rig.Sealed[1]);
        Assert.Equal((FrameKind.Tombstone, frame.Key), (header.Kind, header.Key));
        Assert.Equal(
            [new Declaration(0, 2, 100, 101, DropReason.Refused), new Declaration(1, 3, 200, 202, DropReason.Refused)],
            declarations);
        var row = Assert.Single(rig.Disk.LastCommit!.Quarantined);
        Assert.Equal("0x99 payload format invalid", row.Reason);
        Assert.Equal(bytes, row.Data.ToArray());
    });

    [Fact]
    public void A_tombstone_is_what_a_restart_finds() => OutboxRig.Run(async rig =>
    {
        var frame = await SealAsync(rig);
        await rig.Outbox.QuarantineAsync(frame, "refused", default);
        await rig.OpenAsync();
        var found = rig.Outbox.Held.Single();
        Assert.Equal(5, found.Dropped);
        Assert.Equal(FrameKind.Tombstone, (await rig.HeaderAsync(found)).Kind);
    });

    [Fact]
    public void A_frame_freed_while_its_tombstone_is_committed_stays_freed() => OutboxRig.Run(async rig =>
    {
        var frame = await SealAsync(rig);
        rig.Disk.BeforeDurable = async () => await rig.After(TimeSpan.FromSeconds(1));
        var quarantine = rig.Outbox.QuarantineAsync(frame, "refused", default).AsTask();
        await rig.After(TimeSpan.FromSeconds(0.5));
        rig.Outbox.Free(frame);
        await quarantine;
        Assert.Empty(rig.Outbox.Held);
        await rig.AcceptAsync(1, critical: true);
        Assert.DoesNotContain(frame.Id, rig.Disk.Snapshot().Frames.Keys);
    });

    [Fact]
    public void Frames_are_read_from_the_file_when_memory_has_them_no_more() => OutboxRig.Run(
        async rig =>
        {
            var reads = 0;
            var frame = await SealAsync(rig);
            rig.Disk.BeforeRead = () =>
            {
                reads++;
                return ValueTask.CompletedTask;
            };
            Assert.Equal(5, (await rig.ReadAsync(frame)).Readings.Count);
            Assert.Equal(1, reads);
        },
        NoCache);

    [Fact]
    public void Recent_frames_are_read_from_memory() => OutboxRig.Run(async rig =>
    {
        var frame = await SealAsync(rig);
        rig.Disk.BeforeRead = () => throw new IOException("not to be read");
        Assert.Equal(5, (await rig.ReadAsync(frame)).Readings.Count);
    });

    /// <summary>A live frame of five readings of two series.</summary>
    private static async Task<HeldFrame> SealAsync(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        rig.Series("m0");
        rig.Series("m1");
        var batch = rig.Batch(3, series: 1, firstTime: 200);
        batch.Add(0, 100, 1.0);
        batch.Add(0, 101, 1.0);
        await rig.Offer(batch);
        return rig.Sealed[^1];
    }
}
