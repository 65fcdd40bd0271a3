using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Unsigned integers of at most <c>width</c> bits in blocks of 32, each with a Rice parameter of its own:
/// <code>
/// near    width                 bits of the greatest; 0: all are 0 and nothing follows
/// block   length(width + 1) bits: selector
///         0: all are 0
///         width + 1: each in width bits
///         else the shift is selector - 1 (at most 48); each as (value >> shift) zeros, a one, the low shift bits;
///         where that would be 8 zeros or more: 8 zeros, then the value in width bits (it is escaped)
/// </code>
/// So an outlier costs no more than width + 8 bits, and the parameter of its block can suit the other values.
/// </summary>
internal static class RiceBlocks
{
    /// <summary>Values in a block.</summary>
    public const int BlockLength = 32;

    /// <summary>After this many zeros a value follows in full.</summary>
    public const int EscapeZeros = 8;

    /// <summary>The greatest shift: one code then fits into a word at any bit offset.</summary>
    public const int ShiftMax = 48;

    /// <summary>
    /// Shifts from here on are tried on the values without so many low bits: in 32 bits, see <see cref="Narrow"/>.
    /// </summary>
    private const int HighFrom = 29;

    private const int LogarithmFractionBits = 8, LogarithmShift = 52 - LogarithmFractionBits;
    private const ulong LogarithmOfOne = 1023 << LogarithmFractionBits;

    /// <summary>
    /// A few large values have raised the mean if it has so many bits more than the values have on average.
    /// </summary>
    private const int LiftedBy = 3, LiftedFrom = LiftedBy + 1;

    /// <summary>The bits of a block's selector.</summary>
    public static int SelectorBits(int width) => 32 - BitOperations.LeadingZeroCount((uint)width + 1);

    /// <summary>The bits of the greatest value.</summary>
    public static int Width(ReadOnlySpan<ulong> values)
    {
        var all = 0UL;
        var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        var any = Vector<ulong>.Zero;
        foreach (var vector in vectors)
        {
            any |= vector;
        }

        for (var i = 0; i < Vector<ulong>.Count; i++)
        {
            all |= any[i];
        }

        foreach (var value in values[(vectors.Length * Vector<ulong>.Count)..])
        {
            all |= value;
        }

        return 64 - BitOperations.LeadingZeroCount(all);
    }

    /// <summary>Writes all values.</summary>
    public static void Write(BitWriter writer, ReadOnlySpan<ulong> values)
    {
        var width = Width(values);
        writer.Near(width, NumberContext.Width);
        if (width == 0)
        {
            return;
        }

        var selectorBits = SelectorBits(width);
        for (var at = 0; at < values.Length; at += BlockLength)
        {
            var block = values.Slice(at, Math.Min(BlockLength, values.Length - at));
            Cost(block, width, out var selector);
            writer.Write((ulong)selector, selectorBits);
            if (selector == width + 1)
            {
                foreach (var value in block)
                {
                    writer.Write(value, width);
                }
            }
            else if (selector > 0)
            {
                writer.Rice(block, selector - 1, width);
            }
        }
    }

    /// <summary>The fewest bits that a block can take, without its selector, and the selector for that.</summary>
    public static int Cost(ReadOnlySpan<ulong> block, int width, out int selector) =>
        Cost(block, Sum(block, out var all), all, width, out selector);

    /// <summary>
    /// About how many bits the values take, without a search for each block's parameter: the sum of their logarithms,
    /// and one and a half bits for each value or the sum once more, whichever is less. It does not see what a few large
    /// values among small ones cost; <see cref="Bits"/> does. After the <paramref name="count"/> values there are zeros
    /// up to a whole vector.
    /// </summary>
    public static long EstimatedBits(ReadOnlySpan<ulong> values, int count)
    {
        var bits = SumOfLogarithms(values);
        return bits + Math.Min(bits, count + (count / 2));
    }

    /// <summary>How many bits the values take as blocks of their own.</summary>
    public static long Bits(ReadOnlySpan<ulong> values)
    {
        var width = Width(values);
        var bits = 0L;
        for (var at = 0; at < values.Length && width > 0; at += BlockLength)
        {
            var block = values.Slice(at, Math.Min(BlockLength, values.Length - at));
            bits += Cost(block, width, out _) + SelectorBits(width);
        }

        return bits;
    }

    /// <summary>The sum of log2(value + 1), without the values after the last whole vector.</summary>
    private static long SumOfLogarithms(ReadOnlySpan<ulong> values)
    {
        // The bits of a double, taken as an integer, are nearly its logarithm: the exponent exactly, and a fraction
        // that is a little too small.
        var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        var sums = Vector<ulong>.Zero;
        foreach (var vector in vectors)
        {
            sums += Vector.AsVectorUInt64(Vector.ConvertToDouble(vector) + Vector<double>.One) >>> LogarithmShift;
        }

        var counted = (ulong)(vectors.Length * Vector<ulong>.Count);
        return (long)((Vector.Sum(sums) - (counted * LogarithmOfOne)) >> LogarithmFractionBits);
    }

    private static ulong Sum(ReadOnlySpan<ulong> block, out ulong all)
    {
        var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(block);
        Vector<ulong> sums = Vector<ulong>.Zero, any = Vector<ulong>.Zero;
        foreach (var vector in vectors)
        {
            sums += vector;
            any |= vector;
        }

        var sum = Vector.Sum(sums);
        all = 0UL;
        for (var lane = 0; lane < Vector<ulong>.Count; lane++)
        {
            all |= any[lane];
        }

        foreach (var value in block[(vectors.Length * Vector<ulong>.Count)..])
        {
            sum += value;
            all |= value;
        }

        return sum;
    }

    private static int Cost(ReadOnlySpan<ulong> block, ulong sum, ulong all, int width, out int selector)
    {
        selector = 0;
        if (all == 0)
        {
            return 0;
        }

        // At first: plain, each in width bits.
        var best = width * block.Length;
        selector = width + 1;
        var length = 64 - BitOperations.LeadingZeroCount(all);
        if (all >> 58 == 0)
        {
            // So small values cannot make the sum overflow: this is the length of their mean, without a division.
            length = Math.Max(0, BitOperations.Log2(sum) - BitOperations.Log2((uint)block.Length) + 1);
            length -= length > 0 && (ulong)block.Length << (length - 1) > sum ? 1 : 0;
        }

        // Filled up with zeros to a whole vector; they cost nothing.
        Span<uint> narrow = stackalloc uint[BlockLength];
        narrow = narrow[..((block.Length + Vector<uint>.Count - 1) & -Vector<uint>.Count)];

        // From the mean's length down, the bits become fewer and then more again. But where a few large values raise
        // the mean, there may be a second minimum further down, at the length of the others.
        var start = Math.Min(Math.Min(length, width - 1), ShiftMax);
        Descend(block, narrow, start, width, ref best, ref selector);
        if (start >= LiftedFrom && block.Length >= Vector<ulong>.Count)
        {
            var middle = (int)(SumOfLogarithms(block) / (block.Length & -Vector<ulong>.Count)) + 1;
            if (middle <= start - LiftedBy)
            {
                Descend(block, narrow, middle, width, ref best, ref selector);
            }
        }

        return best;
    }

    /// <summary>
    /// Tries smaller and smaller shifts until one takes more bits than the last; keeps the best of them if it is better
    /// than <paramref name="best"/>.
    /// </summary>
    private static void Descend(
        ReadOnlySpan<ulong> block, Span<uint> narrow, int from, int width, ref int best, ref int selector)
    {
        var below = from < HighFrom ? 0 : HighFrom;
        Narrow(block, below, narrow);
        var last = int.MaxValue;
        for (var shift = from; shift >= 0; shift--)
        {
            if (shift < below)
            {
                below = 0;
                Narrow(block, below, narrow);
            }

            var cost = NarrowCost(narrow, shift - below, width - below) + (block.Length * (shift + 1));
            if (cost > last)
            {
                break;
            }

            last = cost;
            if (cost < best)
            {
                best = cost;
                selector = shift + 1;
            }
        }
    }

    /// <summary>
    /// The values without their low bits, so many as <paramref name="below"/> says, in 32 bits each. What is larger
    /// becomes the greatest number of 32 bits, and is still escaped with shifts to 28.
    /// </summary>
    private static void Narrow(ReadOnlySpan<ulong> block, int below, Span<uint> into)
    {
        var most = new Vector<ulong>(uint.MaxValue);
        var from = MemoryMarshal.Cast<ulong, Vector<ulong>>(block);
        var pairs = from.Length / 2;
        var vectors = MemoryMarshal.Cast<uint, Vector<uint>>(into);
        for (var i = 0; i < pairs; i++)
        {
            vectors[i] = Vector.Narrow(
                Vector.Min(from[2 * i] >>> below, most), Vector.Min(from[(2 * i) + 1] >>> below, most));
        }

        for (var i = pairs * Vector<uint>.Count; i < block.Length; i++)
        {
            into[i] = (uint)Math.Min(block[i] >> below, uint.MaxValue);
        }
    }

    // Without the shift + 1 bits (the one, and the low bits) that the caller adds for each value. An escaped value has
    // neither, so only what its width is over them counts here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NarrowCost(ReadOnlySpan<uint> block, int shift, int width)
    {
        var bits = Vector<uint>.Zero;
        var most = new Vector<uint>(EscapeZeros);
        var escape = new Vector<uint>((uint)(width - 1 - shift));
        foreach (var vector in MemoryMarshal.Cast<uint, Vector<uint>>(block))
        {
            var quotient = Vector.Min(vector >>> shift, most);
            bits += quotient + ((quotient >>> 3) * escape);
        }

        return (int)Vector.Sum(bits);
    }
}
