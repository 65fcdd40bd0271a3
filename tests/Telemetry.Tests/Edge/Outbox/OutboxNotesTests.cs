using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>Receipts and frees: they ride in the next commit, and a crash forgets them.</summary>
public sealed class OutboxNotesTests
{
    private static readonly Receipt SomeReceipt = new(StreamKind.Live, 42);

    [Fact]
    public void Freed_runs_merge_and_their_shares_add_up() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 4, readings: 10);
        var shares = rig.Sealed.Select(f => f.Key.Share(f.Checksum)).ToArray();
        Free(rig, 0, 3);
        Assert.Equal(
            [new FreedRun(new SequenceRange(1, 10), shares[0]), new FreedRun(new SequenceRange(31, 40), shares[3])],
            Runs(rig));
        Free(rig, 2);
        Free(rig, 1);
        var all = unchecked(shares[0] + shares[1] + shares[2] + shares[3]);
        Assert.Equal([new FreedRun(new SequenceRange(1, 40), all)], Runs(rig));
        Assert.Empty(rig.Outbox.Held);
    });

    [Fact]
    public void Frees_ride_in_the_next_commit() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 2, readings: 1);
        Free(rig, 0);
        await rig.After(TimeSpan.FromMinutes(30));
        Assert.Equal(2, rig.Disk.Commits);
        Assert.Equal([rig.Sealed[0].Key], rig.Outbox.FreedNotDurably);
        await rig.AcceptAsync(1);
        Assert.Equal([rig.Sealed[0].Id], rig.Disk.LastCommit!.RemovedFrames);
        Assert.Empty(rig.Outbox.FreedNotDurably);
    });

    [Fact]
    public void An_idle_outbox_commits_its_notes_after_the_interval() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 1, readings: 1);
        rig.Outbox.NoteReceipt(rig.Sealed[0], SomeReceipt);
        await rig.After(rig.Options.IdleCommitInterval);
        await rig.After(TimeSpan.FromTicks(1));
        Assert.Equal(SomeReceipt, Assert.Single(rig.Disk.LastCommit!.Frames).Receipt);
    });

    [Fact]
    public void A_crash_forgets_notes_that_no_commit_took() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 2, readings: 5);
        rig.Outbox.NoteReceipt(rig.Sealed[0], SomeReceipt);
        Free(rig, 1);
        await rig.OpenAsync();
        Assert.Equal(2, rig.Outbox.Held.Count);
        Assert.All(rig.Outbox.Held, f => Assert.Equal((null, DeliveryState.ToSend), (f.Receipt, f.State)));
        Assert.Empty(Runs(rig));
    });

    [Fact]
    public void Notes_that_a_commit_took_are_known_after_a_restart() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 2, readings: 5);
        rig.Outbox.NoteReceipt(rig.Sealed[0], SomeReceipt);
        Free(rig, 1);
        rig.Outbox.LinkUp = false;
        await rig.AcceptAsync(1);
        await rig.OpenAsync();
        var frame = Assert.Single(rig.Outbox.Held);
        Assert.Equal((SomeReceipt, DeliveryState.Receipted), (frame.Receipt!.Value, frame.State));
        Assert.Equal(new SequenceRange(6, 10), Assert.Single(Runs(rig)).Range);
        Assert.Equal(5, (await rig.ReadAsync(frame)).Readings.Count);
    });

    [Fact]
    public void Frees_during_a_commit_go_with_the_next_one() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 2, readings: 5);
        Free(rig, 0);
        rig.Disk.BeforeDurable = async () => await rig.After(TimeSpan.FromSeconds(1));
        var offer = rig.Offer(rig.Batch(1));
        Free(rig, 1);
        await offer;
        Assert.Equal([rig.Sealed[1].Key], rig.Outbox.FreedNotDurably);
        await rig.OpenAsync();
        Assert.Equal([6L, 11], rig.Outbox.Held.Select(f => f.Key.First));
        Assert.Equal(new SequenceRange(1, 5), Assert.Single(Runs(rig)).Range);
    });

    [Fact]
    public void A_forgotten_frame_leaves_no_share() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 1, readings: 5);
        rig.Outbox.Forget(rig.Sealed[0]);
        Assert.Empty(rig.Outbox.Held);
        Assert.Empty(Runs(rig));
        Assert.Null(rig.Outbox.Find(rig.Sealed[0].Id));
        await rig.AcceptAsync(1);
        Assert.Equal([rig.Sealed[0].Id], rig.Disk.LastCommit!.RemovedFrames);
    });

    [Fact]
    public void At_the_most_runs_a_frame_stays_until_gaps_close() => OutboxRig.Run(
        async rig =>
        {
            await SealLiveAsync(rig, frames: (2 * FreedLane.RunsMax) + 1, readings: 1);
            for (var i = 0; i < FreedLane.RunsMax; i++)
            {
                Assert.True(rig.Outbox.Free(rig.Sealed[2 * i]));
            }

            Assert.False(rig.Outbox.Free(rig.Sealed[^1]));
            Assert.False(rig.Sealed[^1].Freed);
            Assert.True(rig.Outbox.Free(rig.Sealed[1]));
            Assert.True(rig.Outbox.Free(rig.Sealed[^1]));
            Assert.Equal(FreedLane.RunsMax, Runs(rig).Count);
        });

    [Fact]
    public void Held_frames_can_be_freed_while_they_are_walked() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 5, readings: 1);
        await rig.AcceptAsync(1, critical: true);
        await rig.OpenAsync();
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1);
        var walked = 0;
        foreach (var frame in rig.Outbox.Held)
        {
            rig.Outbox.Free(frame);
            walked++;
        }

        Assert.Equal(7, walked);
        Assert.Empty(rig.Outbox.Held);
    });

    [Fact]
    public void Held_frames_are_in_order_of_epoch_lane_and_sequence() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(1);
        await rig.SealAsync();
        await SealLiveAsync(rig, frames: 2, readings: 2);
        await rig.AcceptAsync(1, critical: true);
        var lanes = new[] { Lane.Critical, Lane.Live, Lane.Live, Lane.Backlog };
        Assert.Equal(lanes, rig.Outbox.Held.Select(f => f.Key.Lane));
        await rig.OpenAsync();
        await rig.AcceptAsync(1, critical: true);
        Assert.Equal([.. lanes, Lane.Critical], rig.Outbox.Held.Select(f => f.Key.Lane));
        Assert.Equal([1L, 1, 3, 1, 1], rig.Outbox.Held.Select(f => f.Key.First));
    });

    [Fact]
    public void The_stored_bytes_are_those_of_what_is_held() => OutboxRig.Run(async rig =>
    {
        await SealLiveAsync(rig, frames: 2, readings: 100);
        rig.Outbox.LinkUp = false;
        await rig.AcceptAsync(100);
        var segment = rig.Disk.LastCommit!.Segments[0].Bytes;
        Assert.Equal(rig.Sealed.Sum(f => f.Bytes) + segment, rig.Outbox.StoredBytes);
        Free(rig, 0);
        Assert.Equal(rig.Sealed[1].Bytes + segment, rig.Outbox.StoredBytes);
        await rig.OpenAsync();
        Assert.Equal(rig.Outbox.Held.Sum(f => f.Bytes) + segment, rig.Outbox.StoredBytes);
    });

    private static async Task SealLiveAsync(OutboxRig rig, int frames, int readings)
    {
        rig.Outbox.LinkUp = true;
        for (var i = 0; i < frames; i++)
        {
            await rig.AcceptAsync(readings);
        }
    }

    private static void Free(OutboxRig rig, params int[] frames)
    {
        foreach (var frame in frames)
        {
            Assert.True(rig.Outbox.Free(rig.Sealed[frame]));
        }
    }

    private static IReadOnlyList<FreedRun> Runs(OutboxRig rig) => rig.Outbox.OpenEpochs[0].Freed(Lane.Live).Runs;
}
