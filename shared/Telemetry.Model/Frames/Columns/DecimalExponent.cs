using System.Numerics;
using System.Runtime.Intrinsics;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Chooses the exponent of <see cref="DecimalScale"/> for a column. Only the writer does this: a reader finds the
/// exponent in the bytes.
/// </summary>
internal static class DecimalExponent
{
    /// <summary>A sample is one in <see cref="SampleEach"/> values, within these limits.</summary>
    private const int SampleMin = 8, SampleMax = 32, SampleEach = 16;

    /// <summary>When none of so many values is a decimal, the column is not one of decimals.</summary>
    private const int GiveUpAfter = 4;

    /// <summary>The bits of an exponent that is not that of the column before, with its form.</summary>
    private const int ChangeBits = 9;

    /// <summary>
    /// An exponent that is too great by this costs a value more than <see cref="ChangeBits"/> (a decimal place is 3.3
    /// bits); by one less it does not.
    /// </summary>
    private const int KeepWithin = 3;

    /// <summary>
    /// True when all values of a sample are on the scale of this exponent, and at least one of them is not on that of a
    /// smaller exponent.
    /// </summary>
    public static bool Suits(ReadOnlySpan<ulong> values, int exponent)
    {
        Span<long> integers = stackalloc long[SampleMin];
        var each = values.Length / integers.Length;
        for (var i = 0; i < integers.Length; i++)
        {
            if (!DecimalScale.TryConvert(BitConverter.UInt64BitsToDouble(values[i * each]), exponent, out integers[i]))
            {
                return false;
            }
        }

        return IsLeast(integers, exponent);
    }

    /// <summary>
    /// True when no smaller exponent suits all decimals with these integers: one of them does not end with the digit 0.
    /// </summary>
    public static bool IsLeast(ReadOnlySpan<long> integers, int exponent)
    {
        foreach (var integer in integers)
        {
            if (integer % 10 != 0)
            {
                return true;
            }
        }

        return exponent == 0;
    }

    /// <summary>
    /// The exponent that a sample of the values suggests; -1 when almost no value is a decimal. Naming the last
    /// exponent used, <paramref name="before"/>, costs fewer bits than naming another.
    /// </summary>
    public static int Find(ReadOnlySpan<ulong> values, int before)
    {
        Span<int> counts = stackalloc int[DecimalScale.ExponentMax + 1];
        counts.Clear();
        var sample = Math.Min(values.Length, Math.Clamp(values.Length / SampleEach, SampleMin, SampleMax));
        var decimals = 0;
        var size = 0.0;
        for (var i = 0; i < sample; i++)
        {
            if (i == GiveUpAfter && decimals == 0)
            {
                return -1;
            }

            var at = sample == values.Length ? i : (int)((uint)(values.Length - 1) * (uint)i / (uint)(sample - 1));
            var value = BitConverter.UInt64BitsToDouble(values[at]);
            var least = Least(value);
            if (least >= 0)
            {
                counts[least]++;
                decimals++;
                size += Math.Abs(at == 0 ? value : value - BitConverter.UInt64BitsToDouble(values[at - 1]));
            }
        }

        if (decimals * 2 < sample)
        {
            return -1;
        }

        var sizeBits = double.IsFinite(size) && size > 0 ? Math.Log2(size / decimals) + 1 : 0;
        var best = -1;
        var bestCost = double.MaxValue;
        for (int exponent = 0, fit = 0; exponent <= DecimalScale.ExponentMax; exponent++)
        {
            fit += counts[exponent];
            var cost = (fit * Math.Max(0.5, sizeBits + (exponent * 3.3219)))
                + ((sample - fit) * DecimalScale.ExceptionBits)
                + (exponent == before ? 0 : ChangeBits);
            if (fit > 0 && cost < bestCost)
            {
                best = exponent;
                bestCost = cost;
            }

            if (fit == decimals && exponent >= before)
            {
                // All decimals fit: a greater exponent only costs more.
                break;
            }
        }

        return best;
    }

    /// <summary>
    /// The exponent for a column of one value, and the value's integer: the smallest exponent that suits the value, or
    /// <paramref name="before"/> where that is greater by less than <see cref="KeepWithin"/>. -1 when the value is not
    /// on the scale of that exponent.
    /// </summary>
    public static int FindOne(ulong value, int before, out long integer)
    {
        var number = BitConverter.UInt64BitsToDouble(value);
        if (before >= 0 && DecimalScale.TryConvert(number, before, out integer)
            && (before < KeepWithin || !DecimalScale.TryConvert(number, before - KeepWithin, out _)))
        {
            return before;
        }

        var least = Least(number);
        var exponent = least >= 0 && before - least is > 0 and < KeepWithin ? before : least;
        integer = 0;
        return exponent >= 0 && DecimalScale.TryConvert(number, exponent, out integer) ? exponent : -1;
    }

    /// <summary>The smallest exponent that suits a double; -1 when none does.</summary>
    public static int Least(double value)
    {
        var end = Vector256.Create((double)DecimalScale.IntegerEnd);
        var magic = Vector256.Create(DecimalScale.Magic);
        var bits = Vector256.Create(BitConverter.DoubleToInt64Bits(value));
        for (var from = 0; Within(value, from); from += Vector256<double>.Count)
        {
            var powers = Vector256.Create(DecimalScale.Powers.AsSpan(from));
            var rounded = (Vector256.Create(value) * powers) + magic - magic;
            var fits = Vector256.Equals((rounded / powers).AsInt64(), bits)
                & Vector256.LessThan(Vector256.Abs(rounded), end).AsInt64();
            if (fits != Vector256<long>.Zero)
            {
                return from + BitOperations.TrailingZeroCount(fits.ExtractMostSignificantBits());
            }
        }

        return -1;
    }

    // Once the integer would be too large, no greater exponent suits either.
    private static bool Within(double value, int exponent) =>
        exponent <= DecimalScale.ExponentMax
        && Math.Abs(value * DecimalScale.Powers[exponent]) < DecimalScale.IntegerEnd;
}
