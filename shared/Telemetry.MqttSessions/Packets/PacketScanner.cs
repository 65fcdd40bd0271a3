using System.Buffers;

namespace Telemetry.MqttSessions.Packets;

/// <summary>One whole packet whose body has not been read yet. <see cref="Body"/> lies in the receive buffer.</summary>
internal readonly record struct RawPacket(PacketType Type, byte Flags, ReadOnlySequence<byte> Body);

/// <summary>Finds where a packet ends, without looking into it.</summary>
/// <remarks>
/// <code>
///   bit      7  6  5  4   3  2  1  0
///   byte 1   packet type  flags
///   byte 2…  remaining length: 1 to 4 bytes, 7 bits each, low first, top bit = more follows
///   body     remaining length bytes
/// </code>
/// Source: MQTT 5.0, 2.1 and 1.5.5.
/// </remarks>
internal static class PacketScanner
{
    /// <summary>The largest packet MQTT can express: 1 + 4 + 268,435,455 bytes.</summary>
    public const int PacketBytesLargest = 268_435_460;

    /// <summary>
    /// Takes one packet off the front of <paramref name="bytes"/>. False: more bytes are needed, nothing taken.
    /// </summary>
    /// <exception cref="MqttProtocolException">
    /// 0x81 for an invalid header, 0x95 for a packet beyond the limit.
    /// </exception>
    public static bool TryRead(ref ReadOnlySequence<byte> bytes, int packetBytesMax, out RawPacket packet)
    {
        packet = default;
        Span<byte> header = stackalloc byte[5];
        int present = (int)Math.Min(header.Length, bytes.Length);
        if (present == 0) return false;
        bytes.Slice(0, present).CopyTo(header);
        CheckFirstByte(header[0]);
        if (!TryReadRemaining(header[1..present], out int remaining, out int lengthBytes)) return false;
        int headerBytes = 1 + lengthBytes;
        if (remaining > packetBytesMax - headerBytes)
            throw new MqttProtocolException(MqttReasonCode.PacketTooLarge,
                $"packet of {headerBytes + (long)remaining} bytes, at most {packetBytesMax} are taken");
        if (bytes.Length < headerBytes + remaining) return false;
        packet = new RawPacket(
            (PacketType)(header[0] >> 4), (byte)(header[0] & 0x0F), bytes.Slice(headerBytes, remaining));
        bytes = bytes.Slice(headerBytes + remaining);
        return true;
    }

    private static bool TryReadRemaining(ReadOnlySpan<byte> bytes, out int remaining, out int lengthBytes)
    {
        remaining = 0;
        for (lengthBytes = 0; lengthBytes < bytes.Length;)
        {
            byte b = bytes[lengthBytes];
            remaining |= (b & 0x7F) << (7 * lengthBytes++);
            if ((b & 0x80) == 0)
            {
                if (b == 0 && lengthBytes > 1) throw MqttProtocolException.Malformed("length has needless bytes");
                return true;
            }
        }
        if (lengthBytes == 4) throw MqttProtocolException.Malformed("length has more than 4 bytes");
        return false;
    }

    private static void CheckFirstByte(byte first)
    {
        var type = (PacketType)(first >> 4);
        int flags = first & 0x0F;
        bool valid = type switch
        {
            0 => false,
            PacketType.Publish => (flags & 0x06) != 0x06,
            PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe => flags == 0x02,
            _ => flags == 0,
        };
        if (!valid) throw MqttProtocolException.Malformed("reserved packet type or flags");
    }
}
