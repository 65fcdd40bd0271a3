using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Ingress;

/// <summary>
/// A checked frame or schema as the ingress sees it: the message id for the log, and the frame's key, which is null for
/// a schema.
/// </summary>
internal readonly record struct IngressMessage(string MessageId, FrameKey? Frame)
{
    public bool IsSchema => Frame is null;

    /// <summary>
    /// Checks a lane's payload (delivery, then a frame or schema: version, kind, checksum, header, lane) without
    /// decoding its readings. Throws <see cref="WireFormatException"/>.
    /// </summary>
    public static IngressMessage Read(GatewayId gateway, Lane lane, ReadOnlySpan<byte> payload)
    {
        var delivery = FrameEnvelope.Read(payload, out var offset);
        var message = payload[offset..];
        if (!FrameReader.TryKind(message, out var kind))
        {
            throw new WireFormatException("not a frame or a schema of a known version", offset);
        }

        if (kind == FrameKind.Schema)
        {
            var schema = SchemaMessage.Read(message);
            CheckLane((Lane)message[1], lane);
            return new(StreamNames.MessageId(gateway, schema.Id, lane, delivery.Attempt), null);
        }

        var header = FrameReader.Header(message, out _);
        CheckLane(header.Key.Lane, lane);
        return new(StreamNames.MessageId(gateway, header.Key, delivery.Attempt), header.Key);
    }

    private static void CheckLane(Lane stated, Lane ofTopic)
    {
        if (stated != ofTopic)
        {
            throw new WireFormatException($"lane {stated.Name()} on the topic of {ofTopic.Name()}", 1);
        }
    }
}
