using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Tests.Edge.Outbox;
using DeliveryTracker = Telemetry.Edge.Uplink.DeliveryTracker;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>
/// An uplink to a cloud from before frames had versions: it refuses as malformed what states another than 0.
/// </summary>
public sealed class OlderCloudTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Frame_that_a_cloud_put_back_cannot_read_waits_whole_while_version_0_goes_up() =>
        OutboxRig.Run(async rig =>
        {
            var delivery = await SealAtVersion1Async(rig);
            await using var older = new Cloud(0, rig.Clock);
            var session = new UplinkSession(rig.Outbox, older, delivery, new UplinkOptions(), rig.Clock)
                .RunAsync(default);
            await rig.After(Minute);
            await rig.AcceptAsync(4);
            await rig.After(Minute);
            older.Close();
            await session;

            Assert.Equal(["0: 4"], older.Frames);
            var waits = await rig.HeaderAsync(rig.Outbox.Held.First());
            Assert.Equal((1, 3, FrameKind.Readings), (waits.Version, waits.Present, waits.Kind));
            Assert.Empty(rig.Disk.Snapshot().Quarantine);
        });

    [Fact]
    public void Frame_that_waited_goes_up_when_the_cloud_was_upgraded() => OutboxRig.Run(async rig =>
    {
        var delivery = await SealAtVersion1Async(rig);
        foreach (var version in (int[])[0, 1])
        {
            await using var cloud = new Cloud(version, rig.Clock);
            var session = new UplinkSession(rig.Outbox, cloud, delivery, new UplinkOptions(), rig.Clock)
                .RunAsync(default);
            await rig.After(Minute);
            cloud.Close();
            await session;
            Assert.Equal(version == 0 ? [] : ["1: 3"], cloud.Frames);
        }
    });

    // Found by the simulation: it waited for the next connection, and this one held.
    [Theory]
    [InlineData(1, "1: 3")]
    [InlineData(0)]
    public void Frame_that_is_refused_before_the_first_answer_goes_up_on_this_connection_if_the_answer_allows_it(
        int answer, params string[] frames) => OutboxRig.Run(async rig =>
    {
        await SealAtVersion1Async(rig);
        await rig.OpenAsync();
        await using var cloud = new Cloud(1, rig.Clock) { AnswersAfter = TimeSpan.FromSeconds(1), Answer = answer };
        var session = new UplinkSession(rig.Outbox, cloud, DeliveryOf(rig), new UplinkOptions(), rig.Clock)
            .RunAsync(default);
        await rig.After(Minute / 2);
        cloud.Close();
        await session;

        Assert.Equal(frames, cloud.Frames);
        Assert.Equal(1, cloud.Refused);
        Assert.Empty(rig.Disk.Snapshot().Quarantine);
    });

    private static async Task<DeliveryTracker> SealAtVersion1Async(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        rig.Outbox.FrameVersion = 1;
        await rig.AcceptAsync(3);
        return DeliveryOf(rig);
    }

    private static DeliveryTracker DeliveryOf(OutboxRig rig) => new(
        rig.Outbox, OutboxRig.Gateway, new UplinkOptions(), rig.Clock, new Random(1), NullLogger.Instance,
        new UplinkStatus(), new AnswerOrder());

    /// <summary>A connection to it.</summary>
    private sealed class Cloud(int versionMax, TimeProvider clock) : IUplinkConnection
    {
        // The pump waits for nothing that goes on elsewhere.
        private readonly Channel<ReadOnlyMemory<byte>> _down = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(1) { AllowSynchronousContinuations = true });

        private readonly TaskCompletionSource _closed = new();
        private bool _answered;

        /// <summary>
        /// How long after a hello its answer comes; until then it refuses every frame. Null: it answers no hello.
        /// </summary>
        public TimeSpan? AnswersAfter { get; init; }

        /// <summary>The version that its answers allow.</summary>
        public int Answer { get; init; }

        /// <summary>How many frames it refused.</summary>
        public int Refused { get; private set; }

        /// <summary>The frames that it took: version and how many readings.</summary>
        public List<string> Frames { get; } = [];

        public int InFlightMax => 16;

        public ChannelReader<ReadOnlyMemory<byte>> Down => _down.Reader;

        public Task Closed => _closed.Task;

        public void Close()
        {
            _down.Writer.Complete();
            _closed.SetResult();
        }

        public async ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, CancellationToken.None);
            return Reads(topic, payload.Span)
                ? new PublishOutcome(0, new Receipt(StreamKind.Live, 1).PropertyValue, null)
                : new PublishOutcome(FrameSender.PayloadFormatInvalid, null, "of no known version");
        }

        public ValueTask DisposeAsync() => default;

        private bool Reads(string topic, ReadOnlySpan<byte> payload)
        {
            if (topic == MqttTopics.Hello(OutboxRig.Gateway))
            {
                var hello = Hello.Read(payload);
                if (AnswersAfter is { } pause && hello.Full)
                {
                    _ = AnswerAsync(hello.Id, pause);
                }

                return hello.FrameVersion <= versionMax;
            }

            FrameEnvelope.Read(payload, out var offset);
            if (FrameReader.TryKind(payload[offset..], out var kind) && kind == FrameKind.Schema)
            {
                return true;
            }

            var header = FrameReader.Header(payload[offset..], out _);
            var reads = header.Version <= versionMax && (AnswersAfter is null || _answered);
            Refused += reads ? 0 : 1;
            if (reads)
            {
                Frames.Add($"{header.Version}: {header.Present}");
            }

            return reads;
        }

        private async Task AnswerAsync(HelloId hello, TimeSpan pause)
        {
            await Task.Delay(pause, clock);
            _answered = true;
            var writer = new WireWriter();
            new StoredAck { Token = 5, InAnswerTo = hello, FrameVersion = (byte)Answer }.Write(writer);
            _down.Writer.TryWrite(writer.ToArray());
        }
    }
}
