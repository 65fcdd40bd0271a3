using Telemetry.Edge.Uplink;
using Telemetry.Model.Frames;
using Telemetry.Model.Wire;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: a frame judged lost goes up under the message id of its first attempt.</summary>
internal sealed class FirstAttemptLink(IUplinkConnector link) : AlteredLink(link)
{
    protected override ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        connection.Inner.PublishAsync(topic, IsFrames(topic) ? First(payload.Span) : payload, cancellationToken);

    private static ReadOnlyMemory<byte> First(ReadOnlySpan<byte> payload)
    {
        var delivery = FrameEnvelope.Read(payload, out var offset);
        if (!FrameReader.TryKind(payload[offset..], out var kind) || kind == FrameKind.Schema)
        {
            return payload.ToArray();
        }

        var writer = new WireWriter();
        (delivery with { Attempt = delivery.Attempt with { Count = 1 } }).Write(writer);
        writer.Bytes(payload[offset..]);
        return writer.ToArray();
    }
}
