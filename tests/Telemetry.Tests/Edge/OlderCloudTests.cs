using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Model;
using Telemetry.Model.Control;
using Telemetry.Model.Frames;
using Delivery = Telemetry.Edge.Uplink.Delivery;

namespace Telemetry.Tests.Edge;

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

    private static async Task<Delivery> SealAtVersion1Async(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        rig.Outbox.FrameVersion = 1;
        await rig.AcceptAsync(3);
        return new Delivery(
            rig.Outbox, OutboxRig.Gateway, new UplinkOptions(), rig.Clock, new Random(1), NullLogger.Instance,
            new UplinkStatus(),
            new AnswerOrder());
    }

    /// <summary>A connection to it; it answers no hello.</summary>
    private sealed class Cloud(int versionMax, TimeProvider clock) : IUplinkConnection
    {
        // The pump waits for nothing that goes on elsewhere.
        private readonly Channel<ReadOnlyMemory<byte>> _down = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(1) { AllowSynchronousContinuations = true });

        private readonly TaskCompletionSource _closed = new();

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
            if (topic == Routes.HelloTopic(OutboxRig.Gateway))
            {
                return Hello.Read(payload).FrameVersion <= versionMax;
            }

            Model.Frames.Delivery.Read(payload, out var offset);
            if (FrameReader.TryKind(payload[offset..], out var kind) && kind == FrameKind.Schema)
            {
                return true;
            }

            var header = FrameReader.Header(payload[offset..], out _);
            if (header.Version <= versionMax)
            {
                Frames.Add($"{header.Version}: {header.Present}");
            }

            return header.Version <= versionMax;
        }
    }
}
