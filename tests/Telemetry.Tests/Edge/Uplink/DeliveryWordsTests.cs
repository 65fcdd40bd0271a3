using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>
/// Which words from the cloud free a frame, send it again or make the agent speak. Each begins with one live frame,
/// 1-3, that was sent and has the receipt live:10, and one hello that was said and answered with token 5.
/// </summary>
public sealed class DeliveryWordsTests
{
    private const ulong Token = 5;
    private static readonly UplinkOptions Options = new();

    [Fact]
    public void Stored_ack_with_the_answers_token_frees() => Run((_, delivery, frame) =>
    {
        Take(delivery, Stored(frame, Token));

        Assert.True(frame.Freed);
        Assert.Equal((1, 0), (delivery.Status.FramesFreed, delivery.Status.Ignored));
    });

    [Fact]
    public void Stored_ack_with_an_unknown_token_frees_nothing_and_makes_the_agent_ask() => Run((_, delivery, frame) =>
    {
        Take(delivery, Stored(frame, Token + 1));

        Assert.False(frame.Freed);
        Assert.Equal(1, delivery.Status.Ignored);
        Assert.True(delivery.Hellos.IsDue());
    });

    [Fact]
    public void Stored_ack_before_the_first_answer_frees_nothing() => OutboxRig.Run(async rig =>
    {
        var (delivery, frame) = await SentAsync(rig);
        Take(delivery, Stored(frame, 0));

        Assert.False(frame.Freed);
    });

    [Fact]
    public void Token_of_an_earlier_answer_counts_no_more() => Run((_, delivery, frame) =>
    {
        Take(delivery, Answer(frame, Say(delivery), Token + 1, prefix: 0));
        Take(delivery, Stored(frame, Token));

        Assert.False(frame.Freed);
    });

    [Fact]
    public void Answer_to_an_older_hello_than_the_newest_answered_frees_nothing() => Run((_, delivery, frame) =>
    {
        var older = Say(delivery);
        Take(delivery, Answer(frame, Say(delivery), Token, prefix: 0));
        Take(delivery, Answer(frame, older, Token, prefix: 3));

        Assert.False(frame.Freed);
        Assert.Equal(1, delivery.Status.Ignored);
    });

    [Fact]
    public void Answer_that_comes_twice_counts_once() => Run((_, delivery, frame) =>
    {
        var said = Say(delivery);
        Take(delivery, Answer(frame, said, Token, prefix: 0));
        Take(delivery, Answer(frame, said, Token, prefix: 3));

        Assert.False(frame.Freed);
    });

    [Fact]
    public void Answer_to_another_process_frees_nothing() => Run((_, delivery, frame) =>
    {
        var said = Say(delivery);
        Take(delivery, Answer(frame, said with { Process = said.Process + 1 }, Token, prefix: 3));

        Assert.False(frame.Freed);
    });

    [Fact]
    public void Frame_lost_on_the_way_is_sent_again_as_a_new_attempt() => Run((_, delivery, frame) =>
    {
        var before = delivery.Attempt(frame);
        Take(delivery, Answer(frame, Say(delivery), Token, prefix: 0) with { Live = new StreamProgress(15, 20) });

        Assert.Equal((DeliveryState.ToSend, (Receipt?)null), (frame.State, frame.Receipt));
        Assert.Same(frame, delivery.Queues.Peek(Lane.Live));
        Assert.Equal(before with { Count = before.Count + 1 }, delivery.Attempt(frame));
    });

    [Fact]
    public void Stored_ack_alone_sends_nothing_again() => Run((_, delivery, frame) =>
    {
        Take(delivery, Stored(frame, Token, prefix: 0) with { Live = new StreamProgress(15, 20) });

        Assert.Equal(DeliveryState.Receipted, frame.State);
    });

    [Fact]
    public void Receipt_that_came_after_the_hello_is_not_judged_by_the_answer_to_it() => Run((_, delivery, frame) =>
    {
        var said = Say(delivery);
        frame.State = DeliveryState.Sending;
        delivery.Acknowledged(frame, new Receipt(StreamKind.Live, 10));
        Take(delivery, Answer(frame, said, Token, prefix: 0) with { Live = new StreamProgress(15, 20) });

        Assert.Equal(DeliveryState.Receipted, frame.State);
    });

    [Theory]
    [InlineData(29, false)]
    [InlineData(31, true)]
    public void Frame_without_a_receipt_is_sent_again_only_after_its_time(int seconds, bool again) =>
        Run(async (rig, delivery, frame) =>
        {
            frame.State = DeliveryState.Sending;
            frame.SentAtTimestamp = rig.Clock.GetTimestamp();
            delivery.Acknowledged(frame, null);
            await rig.After(TimeSpan.FromSeconds(seconds));
            Take(delivery, Answer(frame, Say(delivery), Token, prefix: 0));

            Assert.Equal(again ? DeliveryState.ToSend : DeliveryState.Unreceipted, frame.State);
        });

    [Fact]
    public void New_connection_sends_what_had_no_puback_under_the_same_attempt() => Run((_, delivery, frame) =>
    {
        var before = delivery.Attempt(frame);
        frame.State = DeliveryState.Sending;
        delivery.Begin();

        Assert.Same(frame, delivery.Queues.Peek(Lane.Live));
        Assert.Equal(before, delivery.Attempt(frame));
    });

    [Fact]
    public void New_connection_does_not_send_what_has_its_receipt() => Run((_, delivery, _) =>
    {
        delivery.Begin();

        Assert.Null(delivery.Queues.Peek(Lane.Live));
        Assert.True(delivery.Hellos.IsDue());
    });

    [Fact]
    public void Puback_that_comes_after_the_frame_was_freed_changes_nothing() => Run((rig, delivery, frame) =>
    {
        frame.State = DeliveryState.Sending;
        Take(delivery, Stored(frame, Token));
        delivery.Acknowledged(frame, new Receipt(StreamKind.Live, 11));

        Assert.Equal(DeliveryState.Sending, frame.State);
        Assert.Empty(rig.Outbox.Held);
    });

    [Theory]
    [InlineData(DeliveryState.Receipted, true)]
    [InlineData(DeliveryState.Unreceipted, true)]
    [InlineData(DeliveryState.Sending, false)]
    public void Schema_needed_sends_schemas_and_frame_again(DeliveryState state, bool again) =>
        Run((rig, delivery, frame) =>
        {
            delivery.Schemas.Accepted(delivery.Schemas.Take(StreamKind.Live), null, 0, 0);
            frame.State = state;
            delivery.Take(Bytes(new SchemaNeeded(Token, frame.Schema, frame.Key).Write));

            Assert.False(delivery.Schemas.IsReady(StreamKind.Live, frame.Schema));
            Assert.True(delivery.Hellos.Wanted);
            Assert.Equal(again ? DeliveryState.ToSend : state, frame.State);
        });

    [Fact]
    public void Receipt_by_message_counts_for_the_attempt_that_it_names_alone() => Run((_, delivery, frame) =>
    {
        frame.State = DeliveryState.Unreceipted;
        var attempt = delivery.Attempt(frame);
        var receipt = new Receipt(StreamKind.Live, 12);
        delivery.Take(Bytes(new ReceiptMessage(frame.Key, attempt with { Count = attempt.Count + 1 }, receipt).Write));
        Assert.Equal(DeliveryState.Unreceipted, frame.State);

        delivery.Take(Bytes(new ReceiptMessage(frame.Key, attempt, receipt).Write));
        Assert.Equal((DeliveryState.Receipted, receipt), (frame.State, frame.Receipt));
    });

    [Fact]
    public void Fork_that_the_cloud_found_in_the_runs_own_epoch_begins_a_new_one() =>
        Run(async (rig, delivery, frame) =>
        {
            Take(delivery, Stored(frame, Token, prefix: 0) with { Fork = true });
            await rig.AcceptAsync(1);

            Assert.NotEqual(frame.Key.Epoch, rig.Sealed[1].Key.Epoch);
            Assert.NotEqual("", delivery.Status.Fork);
            Assert.True(delivery.Hellos.IsDue());
        });

    [Fact]
    public void Hello_after_that_says_that_the_epoch_has_ended_though_no_reading_came() =>
        Run((rig, delivery, frame) =>
        {
            Assert.True(Hello.Read(delivery.Hellos.Say(full: true)).OwnIsLast);
            Take(delivery, Stored(frame, Token, prefix: 0) with { Fork = true });

            var hello = Hello.Read(delivery.Hellos.Say(full: true));
            Assert.Equal((frame.Key.Epoch, false), (Assert.Single(hello.Epochs).Epoch, hello.OwnIsLast));
        });

    [Fact]
    public void Digest_that_begins_to_differ_makes_the_agent_ask_once() => Run((rig, delivery, frame) =>
    {
        Take(delivery, Stored(frame, Token, prefix: 0) with { Digest = rig.Outbox.CompleteDigest + 1 });
        Assert.True(delivery.Hellos.IsDue());

        Take(delivery, Answer(frame, Say(delivery), Token, prefix: 0) with { Digest = rig.Outbox.CompleteDigest + 1 });
        Assert.False(delivery.Hellos.IsDue());
    });

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 9 })]
    [InlineData(new byte[] { 1, 0, 5 })]
    public void Message_that_cannot_be_read_is_ignored(byte[] message) => Run((_, delivery, frame) =>
    {
        delivery.Take(message);

        Assert.Equal((DeliveryState.Receipted, false), (frame.State, frame.Freed));
    });

    private static void Run(Action<OutboxRig, DeliveryTracker, HeldFrame> test) => Run((rig, delivery, frame) =>
    {
        test(rig, delivery, frame);
        return Task.CompletedTask;
    });

    private static void Run(Func<OutboxRig, DeliveryTracker, HeldFrame, Task> test) => OutboxRig.Run(async rig =>
    {
        var (delivery, frame) = await SentAsync(rig);
        Take(delivery, Answer(frame, Say(delivery), Token, prefix: 0));
        Assert.False(delivery.Hellos.IsDue());
        await test(rig, delivery, frame);
    });

    private static async Task<(DeliveryTracker Delivery, HeldFrame Frame)> SentAsync(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        var delivery = new DeliveryTracker(
            rig.Outbox, OutboxRig.Gateway, Options, rig.Clock, new Random(1), NullLogger.Instance, new UplinkStatus(),
            new AnswerOrder());
        await rig.AcceptAsync(3);
        var frame = rig.Sealed[0];
        delivery.Attempt(frame);
        frame.State = DeliveryState.Sending;
        frame.SentAtTimestamp = rig.Clock.GetTimestamp();
        delivery.Acknowledged(frame, new Receipt(StreamKind.Live, 10));
        return (delivery, frame);
    }

    private static HelloId Say(DeliveryTracker delivery) => Hello.Read(delivery.Hellos.Say(full: true)).Id;

    private static void Take(DeliveryTracker delivery, StoredAck ack) => delivery.Take(Bytes(ack.Write));

    private static byte[] Bytes(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.ToArray();
    }

    private static StoredAck Answer(HeldFrame frame, HelloId hello, ulong token, long prefix) =>
        Stored(frame, token, prefix) with { InAnswerTo = hello, Live = new StreamProgress(5, 20) };

    private static StoredAck Stored(HeldFrame frame, ulong token, long prefix = 3) => new()
    {
        Token = token,
        KnownSchemas = [frame.Schema],
        Epochs =
        [
            new EpochSettlement(frame.Key.Epoch, false,
            [
                LaneSettlement.Empty,
                new LaneSettlement(prefix, prefix == 0 ? 0 : frame.Key.Share(frame.Checksum), 3, []),
                LaneSettlement.Empty,
            ]),
        ],
    };
}
