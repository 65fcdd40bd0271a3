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
///         else a shift of selector - 1 (at most 48); each as (value >> shift) zeros, a one, the low shift bits;
///         where that would be 8 zeros or more: 8 zeros, then the value in width bits
/// </code>
/// Outliers thus cost no more than 8 bits over their own size and leave their block's parameter alone.
/// </summary>
internal static class RiceBlocks
{
    /// <summary>Values in a block.</summary>
    public const int BlockLength = 32;

    /// <summary>This many zeros announce a value in full.</summary>
    public const int EscapeZeros = 8;

    /// <summary>The greatest shift: one code then fits into a word at any bit offset.</summary>
    public const int ShiftMax = 48;

    /// <summary>Shifts from here on are tried on the values' high bits: three bits below the end of a word.</summary>
    private const int HighFrom = 29;

    private const int LogarithmFractionBits = 8, LogarithmShift = 52 - LogarithmFractionBits;
    private const ulong LogarithmOfOne = 1023 << LogarithmFractionBits;

    /// <summary>The mean is lifted where its length is so much over that of most values.</summary>
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

    /// <summary>The bits that a block takes at best, its selector apart, and the selector that does it.</summary>
    public static int Cost(ReadOnlySpan<ulong> block, int width, out int selector) =>
        Cost(block, Sum(block, out var all), all, width, out selector);

    /// <summary>
    /// About how many bits values take, without looking for each block's parameter: their logarithms, and one and a
    /// half bits each or, where most are 0, less. It does not see what large ones among small ones cost: see
    /// <see cref="Bits"/>. Behind the <paramref name="count"/> values are zeros to the end of a vector.
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

    /// <summary>The logarithms of values and 1, of whole vectors of them.</summary>
    private static long SumOfLogarithms(ReadOnlySpan<ulong> values)
    {
        // As an integer, the bits of a double are its logarithm, if for a bent fraction.
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

        // A sum that ran over is of values near 64 bits, which are plain anyway.
        var best = width * block.Length;
        selector = width + 1;
        var length = 64 - BitOperations.LeadingZeroCount(all);
        if (all >> 58 == 0)
        {
            // That of sum / block.Length, without a division.
            length = Math.Max(0, BitOperations.Log2(sum) - BitOperations.Log2((uint)block.Length) + 1);
            length -= length > 0 && (ulong)block.Length << (length - 1) > sum ? 1 : 0;
        }

        // Up to a whole vector; the rest are zeros, which count nothing.
        Span<uint> narrow = stackalloc uint[BlockLength];
        narrow = narrow[..((block.Length + Vector<uint>.Count - 1) & -Vector<uint>.Count)];

        // From the mean's length down there is one valley, unless large values lift the mean: then there may be another
        // one below, at the length of the others.
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

    /// <summary>Goes from a shift down for as long as the bits get less, and takes the best if it is better.</summary>
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
    /// The values without their bits below <paramref name="below"/>, as words. What is over a word becomes the greatest
    /// one, and so stays an escaped value for shifts to three bits below the end of a word.
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

    // Without the ones and the low bits of unescaped codes, which are the same for all.
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
