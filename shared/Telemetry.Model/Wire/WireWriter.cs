using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Telemetry.Model.Wire;

/// <summary>
/// A growing buffer for little-endian integers, variable-length integers (7 bits a byte, least significant first, high
/// bit = more follow) and length-prefixed text. Reusable through <see cref="Clear"/>; one thread at a time.
/// </summary>
public sealed class WireWriter(int capacity = 256)
{
    private byte[] _buffer = new byte[capacity];

    /// <summary>The number of bytes that were written.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes written so far; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Removes the written bytes and keeps the buffer.</summary>
    public void Clear() => Length = 0;

    /// <summary>A copy of the written bytes.</summary>
    public byte[] ToArray() => Written.ToArray();

    /// <summary>Reserves <paramref name="bytes"/> bytes, which count as written; the caller fills them.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_buffer.Length - Length < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + bytes));
        }

        var span = _buffer.AsSpan(Length, bytes);
        Length += bytes;
        return span;
    }

    /// <summary>One byte.</summary>
    public void Byte(byte value) => Reserve(1)[0] = value;

    /// <summary>Bytes as they are.</summary>
    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    /// <summary>Four bytes, little-endian.</summary>
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    /// <summary>Eight bytes, little-endian.</summary>
    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    /// <summary>Eight bytes, little-endian, two's complement.</summary>
    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Reserve(8), value);

    /// <summary>
    /// Seven bytes, little-endian, two's complement: microseconds of about a thousand years around 1970.
    /// </summary>
    public void Time(long micros)
    {
        if (micros is < WireReader.TimeMin or > WireReader.TimeMax)
        {
            throw new ArgumentOutOfRangeException(
                nameof(micros), micros, "a time of more than 55 bits of microseconds");
        }

        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(eight, micros);
        Bytes(eight[..7]);
    }

    /// <summary>The number of bytes that <see cref="Varint(ulong)"/> writes.</summary>
    public static int VarintBytes(ulong value) => (BitOperations.Log2(value) / 7) + 1;

    /// <summary>A variable-length integer, 1 to 10 bytes.</summary>
    public void Varint(ulong value)
    {
        var span = Reserve(10);
        var i = 0;
        while (value >= 0x80)
        {
            span[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[i++] = (byte)value;
        Length -= 10 - i;
    }

    /// <summary>A variable-length integer of a non-negative value.</summary>
    public void Varint(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Varint((ulong)value);
    }

    /// <summary>UTF-8 text after its length in bytes.</summary>
    public void Text(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        Varint((ulong)bytes);
        Encoding.UTF8.GetBytes(value, Reserve(bytes));
    }
}
