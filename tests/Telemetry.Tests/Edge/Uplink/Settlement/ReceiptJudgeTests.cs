using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink.Settlement;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink.Settlement;

/// <summary>
/// Which frames an answer calls lost on the way. One live frame, 1-3, whose receipt is live:10; the answer is to hello
/// 2, of an owner that stands at 5 of a stream that ends at 20.
/// </summary>
public sealed class ReceiptJudgeTests
{
    private static readonly TimeSpan UnsettledAfter = TimeSpan.FromSeconds(30);

    [Fact]
    public void Frame_between_position_and_end_waits() => Run((_, _) => { }, lost: false);

    [Theory]
    [InlineData(9, true)]
    [InlineData(10, false)]
    public void Frame_whose_receipt_lies_beyond_the_logs_end_is_lost(long end, bool lost) =>
        Run((_, _) => { }, lost, answer => answer with { Live = new StreamProgress(5, end) });

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    public void Frame_whose_receipt_the_position_passed_without_settling_it_is_lost(long position, bool lost) =>
        Run((_, _) => { }, lost, answer => answer with { Live = new StreamProgress(position, 20) });

    [Fact]
    public void Other_streams_position_says_nothing() =>
        Run((_, _) => { }, lost: false, answer => answer with { Backlog = new StreamProgress(99, 99) });

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Receipt_that_came_after_the_hello_was_said_is_not_judged_by_its_answer(long at, bool lost) =>
        Run((_, frame) => frame.ReceiptAtHello = at, lost, Passed);

    [Theory]
    [InlineData(29, false)]
    [InlineData(30, true)]
    public void Frame_without_a_receipt_is_lost_when_it_waited_for_long(int seconds, bool lost) =>
        Run(
            (rig, frame) =>
            {
                frame.State = DeliveryState.Unreceipted;
                frame.SentAtTimestamp = rig.Clock.GetTimestamp();
                rig.Clock.Advance(TimeSpan.FromSeconds(seconds));
            },
            lost);

    [Theory]
    [InlineData(DeliveryState.ToSend)]
    [InlineData(DeliveryState.Sending)]
    public void Frame_that_is_still_being_sent_is_not_lost(DeliveryState state) =>
        Run((_, frame) => frame.State = state, lost: false, Passed);

    [Fact]
    public void Frame_that_cannot_be_read_is_not_sent_again() =>
        Run((_, frame) => frame.IsUnreadable = true, lost: false, Passed);

    [Theory]
    [InlineData(DeliveryState.Receipted)]
    [InlineData(DeliveryState.ToSend)]
    public void Frame_that_is_a_fork_is_sent_again_once_the_ledger_has_nothing_there_any_more(DeliveryState state)
    {
        void Forked(OutboxRig rig, HeldFrame frame) => (frame.Forked, frame.State) = (true, state);
        Run(Forked, lost: false, answer => WithLane(Passed(answer), new LaneSettlement(3, 0, 3, [])));
        Run(Forked, lost: true, Passed);
    }

    [Fact]
    public void Frame_whose_bytes_are_gone_is_not_sent_again() =>
        Run((_, frame) => frame.Held = false, lost: false, Passed);

    [Fact]
    public void Frame_of_an_epoch_that_the_answer_does_not_name_is_not_judged() =>
        Run((_, _) => { }, lost: false, answer => Passed(answer) with { Epochs = [] });

    [Fact]
    public void Frame_that_is_settled_is_not_lost_though_it_is_still_here()
    {
        Run((_, _) => { }, lost: false, answer => WithLane(answer, new LaneSettlement(3, 0, 3, [])));
        Run((_, _) => { }, lost: false, answer => WithLane(answer, Runs(RunState.Settled, 1)));
    }

    [Fact]
    public void Frame_that_is_booked_as_lost_and_is_here_is_lost_on_the_way() =>
        Run((_, _) => { }, lost: true, answer => WithLane(answer, Runs(RunState.Lost, 1)));

    [Theory]
    [InlineData(StoredAck.RunsMax, false)]
    [InlineData(StoredAck.RunsMax - 1, true)]
    public void Frame_behind_runs_that_were_cut_off_is_not_judged(int runs, bool lost) => OutboxRig.Run(async rig =>
    {
        var frame = await FrameAsync(rig);
        for (var i = 0; i < StoredAck.RunsMax; i++)
        {
            await rig.AcceptAsync(2);
        }

        var last = rig.Sealed[^1];
        (last.Receipt, last.State) = (frame.Receipt, DeliveryState.Receipted);
        var cut = Enumerable.Range(0, runs).Select(i => (2L * i) + 1)
            .Select(at => new SettledRun(new SequenceRange(at, at), RunState.Settled, 0));
        var answer = WithLane(Passed(Answer(frame)), new LaneSettlement(0, 0, last.Key.Last, [.. cut]));

        var judged = ReceiptJudge.LostOnTheWay(answer, [last], rig.Clock, UnsettledAfter);
        Assert.Equal(lost, judged.Any());
    });

    private static void Run(
        Action<OutboxRig, HeldFrame> change, bool lost, Func<StoredAck, StoredAck>? says = null) =>
        OutboxRig.Run(async rig =>
        {
            var frame = await FrameAsync(rig);
            change(rig, frame);
            var answer = says is null ? Answer(frame) : says(Answer(frame));

            var judged = ReceiptJudge.LostOnTheWay(answer, [frame], rig.Clock, UnsettledAfter);
            Assert.Equal(lost ? [frame] : [], judged);
        });

    private static async Task<HeldFrame> FrameAsync(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        var frame = rig.Sealed[0];
        rig.Outbox.NoteReceipt(frame, new Receipt(StreamKind.Live, 10));
        (frame.State, frame.ReceiptAtHello) = (DeliveryState.Receipted, 1);
        return frame;
    }

    private static StoredAck Answer(HeldFrame frame) => new()
    {
        Token = 1,
        InAnswerTo = new HelloId(1, 2),
        Live = new StreamProgress(5, 20),
        Backlog = new StreamProgress(5, 20),
        Epochs = [new EpochSettlement(
            frame.Key.Epoch, false, [LaneSettlement.Empty, LaneSettlement.Empty, LaneSettlement.Empty])],
    };

    private static StoredAck Passed(StoredAck answer) => answer with { Live = new StreamProgress(15, 20) };

    private static StoredAck WithLane(StoredAck answer, LaneSettlement live) => Passed(answer) with
    {
        Epochs = [answer.Epochs[0] with { Lanes = [LaneSettlement.Empty, live, LaneSettlement.Empty] }],
    };

    private static LaneSettlement Runs(RunState state, long first) =>
        new(0, 0, 3, [new SettledRun(new SequenceRange(first, 3), state, 0)]);
}
