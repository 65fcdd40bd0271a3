using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Telemetry.Mqtt.Packets;

/// <summary>Writes one packet: header first, then exactly as many body bytes as were announced.</summary>
internal ref struct PacketWriter
{
    private readonly IBufferWriter<byte> _output;
    private readonly Span<byte> _span;
    private int _position;

    private PacketWriter(IBufferWriter<byte> output, int bytes)
    {
        _output = output;
        _span = output.GetSpan(bytes)[..bytes];
    }

    public static PacketWriter Begin(IBufferWriter<byte> output, PacketType type, int bodyBytes, byte flags = 0)
    {
        var writer = new PacketWriter(output, PacketBytes(bodyBytes));
        writer.Byte((byte)((byte)type << 4 | flags));
        writer.VariableInt((uint)bodyBytes);
        return writer;
    }

    public static int PacketBytes(int bodyBytes) => 1 + VariableIntBytes((uint)bodyBytes) + bodyBytes;

    public static int VariableIntBytes(uint value) =>
        value switch { < 1 << 7 => 1, < 1 << 14 => 2, < 1 << 21 => 3, _ => 4 };

    public static int TextBytes(string text) => 2 + Encoding.UTF8.GetByteCount(text);

    public void Byte(byte value) => _span[_position++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_span[_position..], value);
        _position += 2;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_span[_position..], value);
        _position += 4;
    }

    public void VariableInt(uint value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }
        Byte((byte)value);
    }

    public void Text(string text)
    {
        int bytes = Encoding.UTF8.GetBytes(text, _span[(_position + 2)..]);
        UInt16(checked((ushort)bytes));
        _position += bytes;
    }

    public void Binary(ReadOnlySpan<byte> bytes)
    {
        UInt16(checked((ushort)bytes.Length));
        Raw(bytes);
    }

    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_span[_position..]);
        _position += bytes.Length;
    }

    public readonly void End()
    {
        if (_position != _span.Length) throw new InvalidOperationException("packet is not as long as announced");
        _output.Advance(_position);
    }
}
