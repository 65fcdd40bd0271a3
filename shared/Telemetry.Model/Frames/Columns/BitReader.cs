using System.Buffers.Binary;
using System.Numerics;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Reads what <see cref="BitWriter"/> wrote. <paramref name="padded"/> holds <paramref name="length"/> bytes followed
/// by at least <see cref="PaddingBytes"/> zeros, so that a block needs one check of its end, not one for each value.
/// Reading past the end throws <see cref="WireFormatException"/>, when the next bytes are loaded or at the end.
/// <paramref name="origin"/> is the offset of the bytes in their message.
/// </summary>
internal ref struct BitReader(ReadOnlySpan<byte> padded, int length, int origin)
{
    /// <summary>
    /// So many zeros that a block needs no check of the end: 288 bytes for the longest block (32 escaped values of
    /// 8 + 64 bits), the bits taken since the last load, and two words that a load may read too far.
    /// </summary>
    public const int PaddingBytes = 320;

    /// <summary>The least number of valid bits after a load.</summary>
    private const int CertainMin = 56;

    private readonly ReadOnlySpan<byte> _bytes = padded;
    private readonly int _endBit = length * 8;
    private NumberContexts _contexts;

    // The loaded bits, the next one lowest; how many of them, at the low end, are valid; and the offset of the first
    // byte that is not among the valid ones.
    private ulong _ahead;
    private int _certain;
    private int _at;

    /// <summary>How many bits were taken.</summary>
    public readonly int Position => (_at * 8) - _certain;

    /// <summary>The next 0 to 64 bits.</summary>
    public ulong Read(int bits)
    {
        if (bits > CertainMin)
        {
            var low = Read(32);
            return low | (Read(bits - 32) << 32);
        }

        if (bits > _certain)
        {
            Look();
        }

        var value = _ahead & ((1UL << bits) - 1);
        _ahead >>= bits;
        _certain -= bits;
        return value;
    }

    /// <summary>One bit.</summary>
    public bool Bit() => Read(1) != 0;

    /// <summary>See <see cref="BitWriter.Gamma"/>.</summary>
    public ulong Gamma()
    {
        if (_certain < CertainMin)
        {
            Look();
        }

        var below = BitOperations.TrailingZeroCount(_ahead);
        if (below > 31)
        {
            throw Malformed("a number of more than 32 bits");
        }

        _ahead >>= below + 1;
        _certain -= below + 1;
        return (1UL << below) | Read(below);
    }

    /// <summary>
    /// See <see cref="BitWriter.Near"/>. A number outside of 0 to <paramref name="max"/> is malformed.
    /// </summary>
    public int Near(NumberContext context, int max)
    {
        ref var last = ref _contexts[(int)context];
        var value = last + ZigZag.Back(Gamma() - 1);
        if (value < 0 || value > max)
        {
            throw Malformed($"{value} is not in 0..{max}");
        }

        return last = (int)value;
    }

    /// <summary>See <see cref="BitWriter.Number"/>.</summary>
    public ulong Number(NumberContext context)
    {
        var bits = Near(context, 64);
        return bits == 0 ? 0 : (1UL << (bits - 1)) | Read(bits - 1);
    }

    /// <summary>A number from 1 to <paramref name="max"/>.</summary>
    public int Count(int max)
    {
        var value = Number(NumberContext.Count);
        return value > 0 && value <= (ulong)max
            ? (int)value : throw Malformed($"{value} where 1 to {max} are possible");
    }

    /// <summary>Reads what <see cref="RiceBlocks.Write"/> wrote.</summary>
    public void Rice(Span<ulong> into)
    {
        var width = Near(NumberContext.Width, 64);
        if (width == 0)
        {
            into.Clear();
            return;
        }

        var selectorBits = RiceBlocks.SelectorBits(width);
        while (into.Length > 0)
        {
            var block = into[..Math.Min(RiceBlocks.BlockLength, into.Length)];
            var selector = (int)Read(selectorBits);
            if (selector == 0)
            {
                block.Clear();
            }
            else if (selector == width + 1)
            {
                Plain(block, width);
            }
            else if (selector <= Math.Min(width, RiceBlocks.ShiftMax + 1))
            {
                Codes(block, selector - 1, width);
            }
            else
            {
                throw Malformed($"a block of kind {selector} for {width} bits");
            }

            into = into[block.Length..];
        }
    }

    /// <summary>
    /// Ends the bits: the rest of the last byte must be zeros. Returns the number of bytes that they took.
    /// </summary>
    public int End()
    {
        Check(Position);
        return Read(-Position & 7) == 0 ? Position / 8 : throw Malformed("bits behind the end");
    }

    /// <summary>
    /// The exception for malformed bytes. Bits taken past the end are the padding's zeros, so the error is then the
    /// early end, not their apparent content.
    /// </summary>
    public readonly WireFormatException Malformed(string what) => Position <= _endBit
        ? new WireFormatException(what, origin + (Position / 8))
        : new WireFormatException("the columns end early", origin + (_endBit / 8));

    /// <summary>Goes on at a position; the bits before it count as taken.</summary>
    public void MoveTo(int bit)
    {
        Check(bit);
        _ahead = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(bit >> 3)..]) >> (bit & 7);
        _certain = CertainMin - (bit & 7);
        _at = (bit >> 3) + 7;
    }

    /// <summary>
    /// Loads more bits. First checks that none past the end were taken, which can have happened only since the last
    /// load.
    /// </summary>
    private void Look()
    {
        Check(Position);
        _ahead |= BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]) << _certain;
        _at += (63 - _certain) >> 3;
        _certain |= CertainMin;
    }

    private readonly void Check(int bit)
    {
        if (bit > _endBit)
        {
            throw new WireFormatException("the columns end early", origin + (_endBit / 8));
        }
    }

    private void Codes(Span<ulong> block, int shift, int width)
    {
        // After a load at least 56 bits are valid: this many codes are read from them without another load.
        var bytes = _bytes;
        var at = _at;
        var certain = _certain;
        var ahead = _ahead;
        var mask = (1UL << shift) - 1;
        var codes = CertainMin / (RiceBlocks.EscapeZeros + shift);
        for (var i = 0; i < block.Length;)
        {
            ahead |= BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]) << certain;
            at += (63 - certain) >> 3;
            certain |= CertainMin;
            for (var end = Math.Min(i + codes, block.Length); i < end; i++)
            {
                var zeros = BitOperations.TrailingZeroCount(ahead);
                if (zeros >= RiceBlocks.EscapeZeros)
                {
                    var bit = (at * 8) - certain + RiceBlocks.EscapeZeros;
                    block[i++] = Full(bytes, bit, width);
                    bit += width;
                    at = (bit >> 3) + 7;
                    certain = CertainMin - (bit & 7);
                    ahead = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(bit >> 3)..]) >> (bit & 7);
                    break;
                }

                block[i] = ((ulong)zeros << shift) | ((ahead >> 1 >> zeros) & mask);
                ahead >>= zeros + 1 + shift;
                certain -= zeros + 1 + shift;
            }
        }

        Check((at * 8) - certain);
        _at = at;
        _certain = certain;
        _ahead = ahead;
    }

    private void Plain(Span<ulong> block, int width)
    {
        var bit = Position;
        for (var i = 0; i < block.Length; i++)
        {
            block[i] = Full(_bytes, bit, width);
            bit += width;
        }

        MoveTo(bit);
    }

    private static ulong Full(ReadOnlySpan<byte> bytes, int bit, int width)
    {
        var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(bit >> 3)..]) >> (bit & 7);
        if (width > 57)
        {
            // The value may begin inside a byte: the loaded word then holds at least 57 of its bits, and the next byte
            // the others.
            word |= (ulong)bytes[(bit >> 3) + 8] << 1 << (63 - (bit & 7));
        }

        return word & (ulong.MaxValue >> (64 - width));
    }
}
