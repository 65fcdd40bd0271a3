using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink.Settlement;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink.Settlement;

/// <summary>
/// What the cloud's word on settled ranges does to an outbox. Each begins with three live frames: 1-3, 4-5, 6-9.
/// </summary>
public sealed class SettlementReaderTests
{
    // Found by the simulation: an answer of a database that was put back meanwhile had come late and freed the frame;
    // the hello after it still named the frame as held (the free was not durable), so nothing was booked, and nobody
    // asked again.
    [Fact]
    public void Sequences_neither_settled_nor_here_are_lacking_until_they_are_booked() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 0), isAnswer: true);
        Assert.False(reader.LacksSomething);

        rig.Outbox.Free(rig.Sealed[0]);
        reader.Take(Word(rig, prefix: 0), isAnswer: true);
        Assert.True(reader.LacksSomething);

        reader.Take(Word(rig, prefix: 0, 0, Lost(1, 3)), isAnswer: true);
        Assert.False(reader.LacksSomething);
    });

    [Fact]
    public void Prefix_whose_share_agrees_frees_the_frames_in_it_and_no_other() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 5, Share(rig, 0, 1)), isAnswer: false);

        Assert.Equal([false, false, true], Held(rig));
        Assert.Equal([new FreedRun(new SequenceRange(1, 5), Share(rig, 0, 1))], Freed(rig));
    });

    [Fact]
    public void Prefix_whose_share_differs_frees_nothing_and_is_a_fork() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 5, Share(rig, 0, 1) + 1), isAnswer: false);

        AssertFork(rig, reader, forked: [true, true, false]);
    });

    [Fact]
    public void Run_beyond_the_prefix_frees_by_its_own_share_alone() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 0, 0, Settled(4, 9, Share(rig, 1, 2))), isAnswer: false);
        Assert.Equal([true, false, false], Held(rig));

        reader.Take(Word(rig, prefix: 9, Share(rig, 0, 1, 2)), isAnswer: false);
        Assert.Equal([false, false, false], Held(rig));
        Assert.Equal("", reader.Fork);
    });

    [Fact]
    public void Run_whose_share_differs_frees_nothing_and_is_a_fork() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 0, 0, Settled(4, 9, Share(rig, 1))), isAnswer: false);

        AssertFork(rig, reader, forked: [false, true, true]);
    });

    [Fact]
    public void Share_of_what_was_freed_before_counts_in_the_comparison() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 5, Share(rig, 0, 1)), isAnswer: false);
        reader.Take(Word(rig, prefix: 9, Share(rig, 2)), isAnswer: false);

        AssertFork(rig, reader, forked: [false, false, true]);
    });

    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    public void Range_that_ends_inside_of_a_frame_is_a_fork_whatever_its_share_says(int prefix) => Run((rig, reader) =>
    {
        var whole = rig.Sealed.FindAll(f => f.Key.Last <= prefix);
        reader.Take(Word(rig, prefix, whole.Aggregate(0UL, (sum, f) => sum + ShareOf(f))), isAnswer: false);

        AssertFork(rig, reader, forked: [true, true, prefix == 7]);
    });

    [Fact]
    public void Frame_that_was_lost_and_is_stored_after_all_counts_in_the_comparison() => Run((rig, reader) =>
    {
        rig.Sealed[1].Held = false; // Damaged on the disk.
        reader.Take(Word(rig, prefix: 3, Share(rig, 0), Lost(4, 5)), isAnswer: true);
        Assert.Equal([false, false, true], Held(rig));
        reader.Take(Word(rig, prefix: 9, Share(rig, 0, 1, 2)), isAnswer: false);

        Assert.Empty(rig.Outbox.Held);
        Assert.Equal("", reader.Fork);
    });

    [Fact]
    public void Frame_that_was_lost_and_is_stored_with_other_content_is_a_fork() => Run((rig, reader) =>
    {
        rig.Sealed[1].Held = false; // Damaged on the disk.
        reader.Take(Word(rig, prefix: 3, Share(rig, 0), Lost(4, 5)), isAnswer: true);
        reader.Take(Word(rig, prefix: 9, Share(rig, 0, 1, 2) + 1), isAnswer: false);

        AssertFork(rig, reader, forked: [false, false, true]);
    });

    [Fact]
    public void Range_with_a_share_that_is_not_known_frees_nothing_until_the_epoch_is_complete() =>
        OutboxRig.Run(async rig =>
        {
            var reader = await SealAsync(rig);
            var last = rig.Sealed[2];
            rig.Outbox.Forget(rig.Sealed[0]); // Not by this reader, which knows no share of it.
            reader.Take(Word(rig, prefix: 9, 1), isAnswer: true);
            Assert.Equal(("", false), (reader.Fork, last.Freed));

            await rig.AcceptAsync(1);
            Assert.NotEqual(last.Key.Epoch, rig.Sealed[3].Key.Epoch);
            Assert.Null(rig.Outbox.Fork);
            last.ReachedLog = true;
            reader.Take(Word(rig, prefix: 9) with { Complete = true }, isAnswer: true);
            Assert.True(last.Freed);
        });

    // Found by the simulation: an idle agent held stored frames, and said "fork", until its next reading came.
    [Fact]
    public void Forked_epoch_ends_without_a_reading_and_is_freed_as_complete() => OutboxRig.Run(async rig =>
    {
        var reader = await SealAsync(rig);
        reader.Take(Word(rig, prefix: 5, 1), isAnswer: true);
        AssertFork(rig, reader, forked: [true, true, false]);

        CompleteWithoutReading(rig, reader);
        await AssertNextEpochFollows(rig);
    });

    [Fact]
    public void Epoch_with_a_share_that_is_not_known_ends_without_a_reading_and_is_freed_as_complete() =>
        OutboxRig.Run(async rig =>
        {
            var reader = await SealAsync(rig);
            rig.Outbox.Forget(rig.Sealed[0]);
            reader.Take(Word(rig, prefix: 9, 1), isAnswer: true);
            Assert.Equal("", reader.Fork);

            CompleteWithoutReading(rig, reader);
            await AssertNextEpochFollows(rig);
        });

    [Fact]
    public void Range_that_cuts_what_was_freed_before_the_database_was_put_back_is_taken_by_its_word() =>
        Run((rig, reader) =>
        {
            reader.Take(Word(rig, prefix: 5, Share(rig, 0, 1)), isAnswer: false);
            reader.Take(Word(rig, prefix: 0, 0, Lost(1, 3), Settled(4, 9, Share(rig, 1, 2))), isAnswer: true);

            Assert.Equal(("", true), (reader.Fork, rig.Sealed[2].Freed));
        });

    [Fact]
    public void Complete_epoch_frees_what_was_sent_and_keeps_what_is_lost() => OutboxRig.Run(async rig =>
    {
        var (reader, frames) = await SealInAnEarlierRunAsync(rig);
        reader.Take(Word(frames, prefix: 3, 0, Lost(4, 5)) with { Complete = true }, isAnswer: true);

        Assert.Equal([true, false, true], frames.Select(f => f.Freed));
        Assert.False(rig.Outbox.FindEpoch(frames[0].Key.Epoch)!.Complete); // It goes on to be asked for.

        reader.Take(Word(frames, prefix: 9, 0) with { Complete = true }, isAnswer: true);
        Assert.Empty(rig.Outbox.Held);
        Assert.True(rig.Outbox.FindEpoch(frames[0].Key.Epoch)!.Complete);
    });

    [Fact]
    public void Complete_epoch_frees_no_frame_that_was_never_sent() => OutboxRig.Run(async rig =>
    {
        var (reader, frames) = await SealInAnEarlierRunAsync(rig);
        frames[2].ReachedLog = false;
        reader.Take(Word(frames, prefix: 9, 0) with { Complete = true }, isAnswer: true);

        Assert.Equal([true, true, false], frames.Select(f => f.Freed));
    });

    [Fact]
    public void Complete_epoch_whose_runs_were_cut_off_frees_what_is_named_alone() => OutboxRig.Run(async rig =>
    {
        for (var i = 0; i <= StoredAck.RunsMax; i++)
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(1);
            await rig.AcceptAsync(1);
        }

        await rig.OpenAsync();
        HeldFrame[] frames = [.. rig.Outbox.Held];
        var lost = Enumerable.Range(0, StoredAck.RunsMax).SelectMany(i => Lost((2 * i) + 1, (2 * i) + 1)).ToArray();
        new SettlementReader(rig.Outbox).Take(Word(frames, 0, 0, lost) with { Complete = true }, isAnswer: true);

        Assert.All(frames, f => Assert.Equal(f.Key.First % 2 == 0 && f.Key.First < 2 * StoredAck.RunsMax, f.Freed));
    });

    [Fact]
    public void Sequences_announced_that_were_never_sealed_here_are_a_fork() => OutboxRig.Run(async rig =>
    {
        var reader = await SealAsync(rig);
        var word = Word(rig, prefix: 0);
        word.Lanes[(int)Lane.Live] = word.Lanes[(int)Lane.Live] with { Announced = 10 };
        reader.Take(word, isAnswer: true);

        Assert.True(reader.ForkFound);
        Assert.Contains("put back", reader.Fork, StringComparison.Ordinal);
        await rig.AcceptAsync(1);
        Assert.NotEqual(rig.Sealed[0].Key.Epoch, rig.Sealed[3].Key.Epoch);
    });

    [Fact]
    public void Lost_frame_whose_bytes_are_gone_is_forgotten_without_a_share() => Run((rig, reader) =>
    {
        rig.Sealed[0].Held = false;
        reader.Take(Word(rig, prefix: 0, 0, Lost(1, 5)), isAnswer: true);

        Assert.Equal([false, true, true], Held(rig));
        Assert.Empty(Freed(rig));
        Assert.False(reader.LostButHere); // Its receipt is still awaited.
    });

    [Theory]
    [InlineData(DeliveryState.ToSend, false)]
    [InlineData(DeliveryState.Sending, false)]
    [InlineData(DeliveryState.Receipted, true)]
    [InlineData(DeliveryState.Unreceipted, true)]
    public void Lost_frame_that_is_here_stays_and_is_asked_about_once_it_was_acknowledged(
        DeliveryState state, bool asks) => Run((rig, reader) =>
    {
        rig.Sealed[0].State = state;
        reader.Take(Word(rig, prefix: 0, 0, Lost(1, 3)), isAnswer: false);

        Assert.Equal([true, true, true], Held(rig));
        Assert.Equal(asks, reader.LostButHere);
    });

    [Fact]
    public void Lost_range_that_cuts_a_frame_lets_it_alone() => Run((rig, reader) =>
    {
        rig.Sealed[1].Held = false;
        reader.Take(Word(rig, prefix: 0, 0, Lost(5, 9)), isAnswer: true);

        Assert.False(rig.Sealed[1].Freed);
    });

    [Fact]
    public void Complete_epoch_of_another_outbox_is_adopted_and_an_open_one_is_not() => Run((rig, reader) =>
    {
        reader.Take(Word(rig, prefix: 9) with { Epoch = 77 }, isAnswer: true);
        Assert.Null(rig.Outbox.FindEpoch(77));

        reader.Take(Word(rig, prefix: 9) with { Epoch = 77, Complete = true }, isAnswer: true);
        Assert.Equal(new EpochLasts(77, new LaneLasts(0, 9, 0)), Assert.Single(rig.Outbox.CompleteEpochs));
    });

    [Fact]
    public void Epoch_that_an_answer_no_longer_calls_complete_is_open_again() => OutboxRig.Run(async rig =>
    {
        var (reader, frames) = await SealInAnEarlierRunAsync(rig);
        reader.Take(Word(frames, prefix: 9, 0) with { Complete = true }, isAnswer: true);
        reader.Take(Word(frames, prefix: 9, 0), isAnswer: true);

        Assert.Contains(rig.Outbox.OpenEpochs, e => e.Epoch == frames[0].Key.Epoch);
        Assert.Equal(9, rig.Outbox.FindEpoch(frames[0].Key.Epoch)!.Sealed.Live);
    });

    private static void Run(Action<OutboxRig, SettlementReader> test) => OutboxRig.Run(async rig =>
        test(rig, await SealAsync(rig)));

    private static async Task<SettlementReader> SealAsync(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        await rig.AcceptAsync(2);
        await rig.AcceptAsync(4);
        return new SettlementReader(rig.Outbox);
    }

    private static async Task<(SettlementReader Reader, HeldFrame[] Frames)> SealInAnEarlierRunAsync(OutboxRig rig)
    {
        await SealAsync(rig);
        await rig.OpenAsync();
        return (new SettlementReader(rig.Outbox), [.. rig.Outbox.Held]);
    }

    private static void CompleteWithoutReading(OutboxRig rig, SettlementReader reader)
    {
        Assert.False(Assert.Single(rig.Outbox.OpenEpochs).IsOwn);
        rig.Sealed.ForEach(f => f.ReachedLog = true);
        reader.Take(Word(rig, prefix: 9) with { Complete = true }, isAnswer: true);
        Assert.Empty(rig.Outbox.Held);
        Assert.Empty(rig.Outbox.OpenEpochs);
    }

    private static async Task AssertNextEpochFollows(OutboxRig rig)
    {
        var ended = rig.Sealed[0].Key.Epoch;
        await rig.AcceptAsync(1);
        Assert.NotEqual(ended, rig.Sealed[3].Key.Epoch);
        Assert.Equal(
            new Predecessor(ended, new LaneLasts(0, 9, 0)), (await rig.HeaderAsync(rig.Sealed[3])).Predecessor);
    }

    private static void AssertFork(OutboxRig rig, SettlementReader reader, bool[] forked)
    {
        Assert.True(reader.ForkFound);
        Assert.Contains("is settled with", reader.Fork, StringComparison.Ordinal);
        Assert.NotNull(rig.Outbox.Fork);
        Assert.Equal(forked, rig.Sealed.Select(f => f.Forked));
        Assert.All(rig.Sealed.Where(f => f.Forked), f => Assert.False(f.Freed));
    }

    private static bool[] Held(OutboxRig rig) => [.. rig.Sealed.Select(f => !f.Freed)];

    private static IReadOnlyList<FreedRun> Freed(OutboxRig rig) =>
        rig.Outbox.FindEpoch(rig.Sealed[0].Key.Epoch)!.Freed(Lane.Live).Runs;

    private static ulong ShareOf(HeldFrame frame) => frame.Key.Share(frame.Checksum);

    private static ulong Share(OutboxRig rig, params int[] frames) =>
        frames.Aggregate(0UL, (sum, i) => unchecked(sum + ShareOf(rig.Sealed[i])));

    private static SettledRun[] Lost(long first, long last) =>
        [new SettledRun(new SequenceRange(first, last), RunState.Lost, 0)];

    private static SettledRun[] Settled(long first, long last, ulong share) =>
        [new SettledRun(new SequenceRange(first, last), RunState.Settled, share)];

    private static EpochSettlement Word(OutboxRig rig, long prefix, ulong share = 0, params SettledRun[][] runs) =>
        Word(rig.Sealed, prefix, share, [.. runs.SelectMany(r => r)]);

    private static EpochSettlement Word(
        IReadOnlyList<HeldFrame> frames, long prefix, ulong share, params SettledRun[] runs) => new(
        frames[0].Key.Epoch,
        false,
        [
            LaneSettlement.Empty,
            new LaneSettlement(prefix, share, frames.Last(f => f.Key.Epoch == frames[0].Key.Epoch).Key.Last, runs),
            LaneSettlement.Empty,
        ]);
}
