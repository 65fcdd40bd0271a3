using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink.Sending;

/// <summary>Which frames go on their way, and what becomes of one that the cloud refuses for its content.</summary>
public sealed class FrameSenderTests
{
    private static readonly UplinkOptions Options = new() { InFlightMax = 8 };
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Half_of_the_slots_stay_free_for_live_while_backlog_waits() => OutboxRig.Run(async rig =>
    {
        var connection = new Connection(rig);
        var (delivery, sender) = Sender(rig, connection);
        for (var i = 0; i < 20; i++)
        {
            await rig.AcceptAsync();
        }

        Assert.Equal(20, await rig.SealAsync(framesMax: 20, readingsMax: 1));
        SchemasAreKnown(rig, delivery);
        sender.SendWhatFits(default);
        Assert.Equal(4, connection.OnTheWay(Lane.Backlog));

        rig.Outbox.LinkUp = true;
        for (var i = 0; i < 6; i++)
        {
            await rig.AcceptAsync();
        }

        sender.SendWhatFits(default);
        Assert.Equal((4, 4), (connection.OnTheWay(Lane.Live), connection.OnTheWay(Lane.Backlog)));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frame_that_is_refused_is_given_up_unless_it_may_be_in_the_log(bool mayBeInLog) =>
        OutboxRig.Run(async rig =>
        {
            var connection = new Connection(rig) { Outcome = new PublishOutcome(0x99, null, "no such content") };
            var (delivery, sender) = Sender(rig, connection);
            rig.Outbox.FrameVersion = 1;
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync();
            SchemasAreKnown(rig, delivery);
            var frame = rig.Sealed[0];
            frame.ReachedLog = mayBeInLog;
            for (var i = 0; i < Options.RefusalsMax; i++)
            {
                Assert.Empty(rig.Disk.Snapshot().Quarantine);
                sender.SendWhatFits(default);
                await rig.After(2 * Options.BackoffMin);
            }

            Assert.Equal(Options.RefusalsMax, frame.Refusals);
            Assert.Equal(mayBeInLog ? 0 : 1, rig.Disk.Snapshot().Quarantine.Count);
            Assert.Equal(!mayBeInLog, frame.Freed);
            Assert.Equal(mayBeInLog, delivery.Queues.Peek(Lane.Live) == frame);
        });

    private static (DeliveryTracker Delivery, FrameSender Sender) Sender(OutboxRig rig, Connection connection)
    {
        var delivery = new DeliveryTracker(
            rig.Outbox, OutboxRig.Gateway, Options, rig.Clock, new Random(1), NullLogger.Instance, new UplinkStatus(),
            new AnswerOrder());
        var link = new SharedLink(connection, delivery, Options, rig.Clock);
        return (delivery, new FrameSender(rig.Outbox, link, delivery, Options, rig.Clock));
    }

    private static void SchemasAreKnown(OutboxRig rig, DeliveryTracker delivery)
    {
        for (var stream = StreamKind.Live; stream <= StreamKind.Backlog; stream++)
        {
            while (delivery.Schemas.Next(stream, rig.Outbox.Schemas.Count) is not null)
            {
                delivery.Schemas.Accepted(delivery.Schemas.Take(stream), null, 0, 0);
            }
        }
    }

    /// <summary>Answers each publish with one outcome; without one it never answers.</summary>
    private sealed class Connection(OutboxRig rig) : IUplinkConnection
    {
        private readonly List<string> _topics = [];

        public PublishOutcome? Outcome { get; init; }

        public int InFlightMax => 100;

        public ChannelReader<ReadOnlyMemory<byte>> Down { get; } =
            Channel.CreateUnbounded<ReadOnlyMemory<byte>>().Reader;

        public Task Closed { get; } = new TaskCompletionSource().Task;

        public int OnTheWay(Lane lane) => _topics.Count(t => t == MqttTopics.Frames(OutboxRig.Gateway, lane));

        public async ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            _topics.Add(topic);
            await Task.Delay(Outcome is null ? Timeout.InfiniteTimeSpan : RoundTrip, rig.Clock, cancellationToken);
            return Outcome!.Value;
        }

        public ValueTask DisposeAsync() => default;
    }
}
