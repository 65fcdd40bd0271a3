using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>
/// What travels beside an immutable frame or schema: when it was sent and which attempt it is. It stands before the
/// frame in the MQTT payload and in the log's message.
/// <code>
/// 7       sent-at, microseconds since 1970 UTC by the agent's clock
/// u32     the agent process' random number
/// varint  the attempt's count in that process
/// ...     the frame or schema
/// </code>
/// </summary>
public readonly record struct FrameEnvelope(long SentAtMicros, Attempt Attempt)
{
    /// <summary>The most bytes of an envelope.</summary>
    public const int BytesMax = 7 + 4 + 5;

    /// <summary>Writes it; the frame's bytes follow.</summary>
    public void Write(WireWriter writer)
    {
        writer.Time(SentAtMicros);
        writer.UInt32(Attempt.Process);
        writer.Varint((ulong)Attempt.Count);
    }

    /// <summary>Reads it and returns where the frame begins. Throws <see cref="WireFormatException"/>.</summary>
    public static FrameEnvelope Read(ReadOnlySpan<byte> message, out int frameOffset)
    {
        var reader = new WireReader(message);
        var delivery = new FrameEnvelope(
            reader.Time(), new Attempt(reader.UInt32(), (int)reader.Varint((long)int.MaxValue)));
        frameOffset = reader.Offset;
        return delivery;
    }
}
