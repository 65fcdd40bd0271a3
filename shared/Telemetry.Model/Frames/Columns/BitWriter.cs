using System.Buffers.Binary;
using System.Numerics;

namespace Telemetry.Model.Frames.Columns;

/// <summary>Writes bits, the least significant first, into bytes that grow as needed. One thread at a time.</summary>
internal sealed class BitWriter
{
    private const int Word = 64;

    /// <summary>Two codes of at most this shift fit into a word of which 7 bits are taken.</summary>
    private const int PairShiftMax = ((Word - 7) / 2) - RiceBlocks.EscapeZeros;

    private byte[] _buffer = new byte[4096];
    private NumberContexts _contexts;
    private ulong _pending;
    private int _pendingBits;
    private int _length;

    /// <summary>Removes all bits and contexts, and keeps the buffer.</summary>
    public void Clear()
    {
        _contexts = default;
        _pending = 0;
        _pendingBits = _length = 0;
    }

    /// <summary>The bytes; the last one is filled up with zeros. Only whole bytes may follow.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        Ensure(sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_length), _pending);
        _length += (_pendingBits + 7) / 8;
        _pending = 0;
        _pendingBits = 0;
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>Writes the low <paramref name="bits"/> (0 to 64) of a value, whose other bits must be 0.</summary>
    public void Write(ulong value, int bits)
    {
        _pending |= value << _pendingBits;
        var filled = _pendingBits + bits;
        if (filled >= Word)
        {
            Ensure(sizeof(ulong));
            BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_length), _pending);
            _length += sizeof(ulong);
            _pending = _pendingBits == 0 ? 0 : value >> (Word - _pendingBits);
            filled -= Word;
        }

        _pendingBits = filled;
    }

    /// <summary>Writes collected fields; writes nothing and returns false if they take more than 64 bits.</summary>
    public bool TryWrite(BitCode code)
    {
        if (code.Length > Word)
        {
            return false;
        }

        Write(code.Bits, code.Length);
        return true;
    }

    /// <summary>The last value of a context.</summary>
    public ref int Last(NumberContext context) => ref _contexts[(int)context];

    /// <summary>Writes one bit.</summary>
    public void Bit(bool value) => Write(value ? 1UL : 0, 1);

    /// <summary>
    /// Writes a number from 1 to 2^32 - 1 as an Elias gamma code: one zero for each bit below its highest bit, then a
    /// one, then those bits.
    /// </summary>
    public void Gamma(ulong value)
    {
        var below = BitOperations.Log2(value);
        var high = 1UL << below;
        Write(high | ((value - high) << below << 1), (2 * below) + 1);
    }

    /// <summary>
    /// Writes a small number as its difference from the last number of the context, in zigzag and gamma code.
    /// </summary>
    public void Near(int value, NumberContext context)
    {
        ref var last = ref _contexts[(int)context];
        Gamma(ZigZag.Of(value - last) + 1);
        last = value;
    }

    /// <summary>
    /// Writes any number: how many bits it has, as <see cref="Near"/> does, then its bits below the highest.
    /// </summary>
    public void Number(ulong value, NumberContext context)
    {
        ref var last = ref Last(context);
        var before = last;
        var code = default(BitCode);
        code.Number(value, ref last);
        if (!TryWrite(code))
        {
            // Longer than a word: write the fields one after the other.
            last = before;
            var length = Word - BitOperations.LeadingZeroCount(value);
            Near(length, context);
            Write(value - (1UL << (length - 1)), length - 1);
        }
    }

    /// <summary>
    /// Writes the Rice codes of one block, see <see cref="RiceBlocks"/>; <paramref name="shift"/> is 48 at most.
    /// </summary>
    public void Rice(ReadOnlySpan<ulong> block, int shift, int width)
    {
        Ensure((block.Length * (RiceBlocks.EscapeZeros + Word) / 8) + (3 * sizeof(ulong)));
        var into = _buffer.AsSpan(_length);
        var pending = _pending;
        var pendingBits = _pendingBits;
        var mask = (1UL << shift) - 1;
        var at = 0;
        for (var i = 0; i < block.Length; i++)
        {
            // All pending bits are written each time, but only whole bytes are counted: at most 7 bits stay pending.
            BinaryPrimitives.WriteUInt64LittleEndian(into[at..], pending);
            at += pendingBits >> 3;
            pending >>= pendingBits & ~7;
            pendingBits &= 7;
            var value = block[i];
            var quotient = value >> shift;
            if (quotient < RiceBlocks.EscapeZeros)
            {
                var code = (((value & mask) << 1) | 1) << (int)quotient;
                var length = (int)quotient + 1 + shift;
                if (shift <= PairShiftMax && i + 1 < block.Length
                    && block[i + 1] >> shift is < RiceBlocks.EscapeZeros and var next)
                {
                    code |= (((block[++i] & mask) << 1) | 1) << (int)next << length;
                    length += (int)next + 1 + shift;
                }

                pending |= code << pendingBits;
                pendingBits += length;
                continue;
            }

            pendingBits += RiceBlocks.EscapeZeros;
            pending |= value << pendingBits;
            if (pendingBits + width >= Word)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(into[at..], pending);
                at += sizeof(ulong);
                pending = value >> (Word - pendingBits);
                pendingBits -= Word;
            }

            pendingBits += width;
        }

        _length += at;
        _pending = pending;
        _pendingBits = pendingBits;
    }

    private void Ensure(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes));
        }
    }
}
