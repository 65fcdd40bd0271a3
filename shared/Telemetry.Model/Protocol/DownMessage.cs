using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Protocol;

/// <summary>The first byte of a message to an agent.</summary>
public enum DownKind : byte
{
    /// <summary>A stored-ack or the answer to a hello.</summary>
    StoredAck = 1,

    /// <summary>
    /// A frame named a schema that the database lacks: the agent must send the schema in that lane, and the lane's
    /// frames again.
    /// </summary>
    SchemaNeeded = 2,

    /// <summary>A receipt as a message, for a broker between agent and ingress that is not ours.</summary>
    Receipt = 3,
}

/// <summary>The cloud received a frame whose schema it does not know. The frame is not settled by this.</summary>
public sealed record SchemaNeeded(ulong Token, SchemaId Schema, FrameKey Frame)
{
    /// <summary>Writes it: byte kind, u64 token, 16 schema, u64 epoch, byte lane, varint first, varint count.</summary>
    public void Write(WireWriter writer)
    {
        writer.Byte((byte)DownKind.SchemaNeeded);
        writer.UInt64(Token);
        Schema.Write(writer);
        FrameKeys.Write(writer, Frame);
    }

    /// <summary>Reads it; throws <see cref="WireFormatException"/>.</summary>
    public static SchemaNeeded Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        DownKinds.Expect(ref reader, DownKind.SchemaNeeded);
        var message = new SchemaNeeded(reader.UInt64(), SchemaId.Read(ref reader), FrameKeys.Read(ref reader));
        reader.End();
        return message;
    }
}

/// <summary>A receipt that arrived as a message.</summary>
public sealed record ReceiptMessage(FrameKey Frame, Attempt Attempt, Receipt Receipt)
{
    /// <summary>Writes it: byte kind, frame key, u32 process, varint count, byte stream, varint sequence.</summary>
    public void Write(WireWriter writer)
    {
        writer.Byte((byte)DownKind.Receipt);
        FrameKeys.Write(writer, Frame);
        writer.UInt32(Attempt.Process);
        writer.Varint((ulong)Attempt.Count);
        writer.Byte((byte)Receipt.Stream);
        writer.Varint(Receipt.Sequence);
    }

    /// <summary>Reads it; throws <see cref="WireFormatException"/>.</summary>
    public static ReceiptMessage Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        DownKinds.Expect(ref reader, DownKind.Receipt);
        var message = new ReceiptMessage(
            FrameKeys.Read(ref reader),
            new Attempt(reader.UInt32(), (int)reader.Varint((long)int.MaxValue)),
            new Receipt((StreamKind)reader.Byte(), reader.Varint(long.MaxValue)));
        reader.End();
        return message.Receipt.Stream <= StreamKind.Backlog
            ? message
            : throw new WireFormatException($"unknown stream {(byte)message.Receipt.Stream}", reader.Offset);
    }
}

internal static class DownKinds
{
    public static void Expect(ref WireReader reader, DownKind kind)
    {
        if (reader.Byte() is var first && first != (byte)kind)
        {
            throw new WireFormatException($"kind {first} where {kind} was expected", 0);
        }
    }
}

internal static class FrameKeys
{
    public static void Write(WireWriter writer, FrameKey key)
    {
        writer.UInt64(key.Epoch);
        writer.Byte((byte)key.Lane);
        writer.Varint(key.First);
        writer.Varint((ulong)key.Count);
    }

    public static FrameKey Read(ref WireReader reader)
    {
        var key = new FrameKey(
            reader.UInt64(),
            (Lane)reader.Byte(),
            reader.Varint(long.MaxValue / 2),
            (int)reader.Varint((long)Frames.FrameHeader.CountMax));
        return (byte)key.Lane < Lanes.Count
            ? key
            : throw new WireFormatException($"unknown lane {(byte)key.Lane}", reader.Offset);
    }
}
