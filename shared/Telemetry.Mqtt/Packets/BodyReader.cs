using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Telemetry.Mqtt.Packets;

/// <summary>Reads MQTT's data types from one packet's body, front to back. Source: MQTT 5.0, 1.5.</summary>
/// <remarks>Every length is compared with what is left before anything is allocated for it.</remarks>
internal ref struct BodyReader(ReadOnlySpan<byte> body)
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
    public string Text()
    {
        var utf8 = Take(UInt16());
        if (!Utf8.IsValid(utf8)
            || utf8.Contains((byte)0)) throw MqttProtocolException.Malformed("text is no valid UTF-8");
        return Encoding.UTF8.GetString(utf8);
    }

    /// <summary>Bytes behind a two-byte length, in the body's own memory.</summary>
    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>The next <paramref name="bytes"/> bytes, in the body's own memory.</summary>
    public ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > Left) throw MqttProtocolException.Malformed("packet ends inside a field");
        var span = _body.Slice(Position, bytes);
        Position += bytes;
        return span;
    }

    /// <summary>The next non-zero packet identifier.</summary>
    public ushort PacketId()
    {
        ushort id = UInt16();
        return id != 0 ? id : throw MqttProtocolException.Protocol("packet identifier 0");
    }

    public readonly void ExpectEnd()
    {
        if (!AtEnd) throw MqttProtocolException.Malformed("bytes behind the last field");
    }
}
