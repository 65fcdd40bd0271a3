using System.Buffers.Binary;
using System.Text;

namespace Telemetry.Model.Wire;

/// <summary>
/// Reads what <see cref="WireWriter"/> wrote. Every length is checked before it is used; violations throw <see
/// cref="WireFormatException"/> with the offset.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The smallest time that <see cref="Time"/> can carry, in microseconds since 1970.</summary>
    public const long TimeMin = -(1L << 55);

    /// <summary>The greatest time that <see cref="Time"/> can carry, in microseconds since 1970.</summary>
    public const long TimeMax = (1L << 55) - 1;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The number of bytes that were read.</summary>
    public int Offset { get; private set; }

    /// <summary>The number of bytes that are left.</summary>
    public readonly int Remaining => _bytes.Length - Offset;

    /// <summary>The next <paramref name="count"/> bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if ((uint)count > (uint)Remaining)
        {
            throw new WireFormatException($"{count} bytes wanted, {Remaining} left", Offset);
        }

        var span = _bytes.Slice(Offset, count);
        Offset += count;
        return span;
    }

    /// <summary>One byte.</summary>
    public byte Byte() => Bytes(1)[0];

    /// <summary>Four bytes, little-endian.</summary>
    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    /// <summary>Eight bytes, little-endian.</summary>
    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    /// <summary>Eight bytes, little-endian, two's complement.</summary>
    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    /// <summary>Seven bytes of microseconds since 1970, see <see cref="WireWriter.Time"/>.</summary>
    public long Time()
    {
        Span<byte> eight = stackalloc byte[8];
        Bytes(7).CopyTo(eight[1..]);
        return BinaryPrimitives.ReadInt64LittleEndian(eight) >> 8;
    }

    /// <summary>A variable-length integer of at most 64 bits.</summary>
    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Byte();
            if (shift == 63 && b > 1)
            {
                break;
            }

            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new WireFormatException("an integer of more than 64 bits", Offset);
    }

    /// <summary>A variable-length integer from 0 to <paramref name="max"/>.</summary>
    public long Varint(long max)
    {
        var at = Offset;
        var value = Varint();
        return value <= (ulong)max
            ? (long)value : throw new WireFormatException($"{value} is over the limit of {max}", at);
    }

    /// <summary>
    /// The number of items that follow: at most <paramref name="max"/>, and no more than fit into the bytes that are
    /// left.
    /// </summary>
    public int Count(int max, int itemBytesMin)
    {
        var at = Offset;
        var count = (int)Varint((long)max);
        return (long)count * itemBytesMin <= Remaining
            ? count
            : throw new WireFormatException($"{count} items of at least {itemBytesMin} bytes in {Remaining} bytes", at);
    }

    /// <summary>Text after its length in bytes, valid UTF-8, at most <paramref name="bytesMax"/> bytes.</summary>
    public string Text(int bytesMax)
    {
        var at = Offset;
        try
        {
            return StrictUtf8.GetString(Bytes((int)Varint((long)bytesMax)));
        }
        catch (DecoderFallbackException)
        {
            throw new WireFormatException("text that is not valid UTF-8", at);
        }
    }

    /// <summary>Throws unless every byte was read.</summary>
    public readonly void End()
    {
        if (Remaining != 0)
        {
            throw new WireFormatException($"{Remaining} bytes too many", Offset);
        }
    }
}
