using System.Buffers.Binary;
using System.Text.Unicode;

namespace Telemetry.MqttSessions.Packets;

/// <summary>
/// Goes over MQTT's data types in one packet's body, front to back, and allocates nothing. Source: MQTT 5.0, 1.5.
/// </summary>
internal ref struct BodyScanner(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;

    public int Position { get; private set; }

    public readonly int Left => _body.Length - Position;

    public readonly bool AtEnd => Left == 0;

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>Variable byte integer, 1 to 4 bytes, shortest form.</summary>
    public uint VariableInt()
    {
        uint value = 0;
        for (int i = 0; i < 4; i++)
        {
            byte b = Byte();
            value |= (uint)(b & 0x7F) << (7 * i);
            if ((b & 0x80) != 0) continue;
            if (b == 0 && i > 0) throw MqttProtocolException.Malformed("integer has needless bytes");
            return value;
        }
        throw MqttProtocolException.Malformed("integer has more than 4 bytes");
    }

    /// <summary>UTF-8 string behind a two-byte length; ill-formed UTF-8 and U+0000 are malformed.</summary>
    public ReadOnlySpan<byte> Text()
    {
        var utf8 = Take(UInt16());
        if (!Utf8.IsValid(utf8) || utf8.Contains((byte)0))
            throw MqttProtocolException.Malformed("text is not valid UTF-8");
        return utf8;
    }

    /// <summary>Bytes behind a two-byte length.</summary>
    public void SkipBinary() => Take(UInt16());

    /// <summary>The next <paramref name="bytes"/> bytes, in the body's own memory.</summary>
    public ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > Left) throw MqttProtocolException.Malformed("packet ends inside a field");
        var span = _body.Slice(Position, bytes);
        Position += bytes;
        return span;
    }

    /// <summary>A packet identifier: two bytes, not 0.</summary>
    public void SkipPacketId()
    {
        if (UInt16() == 0) throw MqttProtocolException.Protocol("packet identifier 0");
    }

    public readonly void ExpectEnd()
    {
        if (!AtEnd) throw MqttProtocolException.Malformed("bytes behind the last field");
    }
}
