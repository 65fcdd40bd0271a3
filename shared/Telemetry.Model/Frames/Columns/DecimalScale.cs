using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Doubles that are decimals: x / 10^exponent, divided as IEEE 754 doubles, where |x| &lt; 2^51. A double belongs to a
/// scale only if that division gives back its very bits; -0.0, NaN and infinities never do.
/// </summary>
internal static class DecimalScale
{
    /// <summary>The greatest exponent: 10^17 is exact as a double, and more digits than a double tells apart.</summary>
    public const int ExponentMax = 17;

    /// <summary>Integers are below this, so that rounding and converting can be done by one addition.</summary>
    public const long IntegerEnd = 1L << 51;

    /// <summary>What a value costs that is not on its column's scale.</summary>
    public const int ExceptionBits = 70;

    private const int SampleMin = 8, SampleMax = 32, SampleEach = 16, GiveUpAfter = 4, ChangeBits = 9;

    /// <summary>1.5 * 2^52: a double this large holds integers in its low bits.</summary>
    private const double Magic = 6755399441055744.0;

    private static readonly double[] Powers =
        [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17];

    private static readonly long MagicBits = BitConverter.DoubleToInt64Bits(Magic);

    /// <summary>
    /// The exponent that a sample of the values suggests; -1 when hardly any value is a decimal. The last exponent used,
    /// <paramref name="before"/>, costs less to name than another.
    /// </summary>
    public static int Find(ReadOnlySpan<ulong> values, int before)
    {
        Span<int> counts = stackalloc int[ExponentMax + 1];
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

            var at = (int)((long)(values.Length - 1) * i / Math.Max(1, sample - 1));
            var value = BitConverter.UInt64BitsToDouble(values[at]);
            var least = LeastExponent(value);
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
        for (int exponent = 0, fit = 0; exponent <= ExponentMax; exponent++)
        {
            fit += counts[exponent];
            var cost = (fit * Math.Max(0.5, sizeBits + (exponent * 3.3219))) + ((sample - fit) * ExceptionBits)
                + (exponent == before ? 0 : ChangeBits);
            if (fit > 0 && cost < bestCost)
            {
                best = exponent;
                bestCost = cost;
            }
        }

        return best;
    }

    /// <summary>
    /// Fills <paramref name="integers"/>; where a value is not on the scale its place goes to <paramref name="exceptions"/>
    /// and the integer before is repeated. Returns how many those are.
    /// </summary>
    public static int Convert(ReadOnlySpan<ulong> values, int exponent, Span<long> integers, Span<int> exceptions)
    {
        var power = new Vector<double>(Powers[exponent]);
        var magic = new Vector<double>(Magic);
        var magicBits = new Vector<long>(MagicBits);
        var end = new Vector<double>(IntegerEnd);
        var vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        var into = MemoryMarshal.Cast<long, Vector<long>>(integers);
        var count = 0;
        for (var i = 0; i < vectors.Length; i++)
        {
            var moved = (Vector.AsVectorDouble(vectors[i]) * power) + magic;
            var rounded = moved - magic;
            var fits = Vector.Equals(Vector.AsVectorInt64(rounded / power), Vector.AsVectorInt64(vectors[i]))
                & Vector.LessThan(Vector.Abs(rounded), end);
            into[i] = Vector.AsVectorInt64(moved) - magicBits;
            if (fits != Vector<long>.AllBitsSet)
            {
                Except(fits, i * Vector<long>.Count, integers, exceptions, ref count);
            }
        }

        for (var i = vectors.Length * Vector<ulong>.Count; i < values.Length; i++)
        {
            if (!TryConvert(BitConverter.UInt64BitsToDouble(values[i]), exponent, out integers[i]))
            {
                integers[i] = i == 0 ? 0 : integers[i - 1];
                exceptions[count++] = i;
            }
        }

        return count;
    }

    /// <summary>Puts doubles in the place of integers. False when one is out of range: no writer made it.</summary>
    public static bool TryRestore(Span<long> integers, int exponent)
    {
        var power = new Vector<double>(Powers[exponent]);
        var magic = new Vector<double>(Magic);
        var magicBits = new Vector<long>(MagicBits);
        var end = new Vector<long>(IntegerEnd);
        var beyond = Vector<long>.Zero;
        var vectors = MemoryMarshal.Cast<long, Vector<long>>(integers);
        for (var i = 0; i < vectors.Length; i++)
        {
            // In range exactly when adding 2^51 leaves the bits from 52 on 0.
            beyond |= (vectors[i] + end) >>> 52;
            vectors[i] = Vector.AsVectorInt64((Vector.AsVectorDouble(vectors[i] + magicBits) - magic) / power);
        }

        var inRange = beyond == Vector<long>.Zero;
        foreach (ref var integer in integers[(vectors.Length * Vector<long>.Count)..])
        {
            inRange &= integer is >= -IntegerEnd and < IntegerEnd;
            integer = BitConverter.DoubleToInt64Bits(integer / Powers[exponent]);
        }

        return inRange;
    }

    private static int LeastExponent(double value)
    {
        for (var exponent = 0; exponent <= ExponentMax; exponent++)
        {
            if (TryConvert(value, exponent, out _))
            {
                return exponent;
            }
        }

        return -1;
    }

    private static bool TryConvert(double value, int exponent, out long integer)
    {
        var moved = (value * Powers[exponent]) + Magic;
        var rounded = moved - Magic;
        integer = BitConverter.DoubleToInt64Bits(moved) - MagicBits;
        return Math.Abs(rounded) < IntegerEnd
            && BitConverter.DoubleToInt64Bits(rounded / Powers[exponent]) == BitConverter.DoubleToInt64Bits(value);
    }

    private static void Except(Vector<long> fits, int from, Span<long> integers, Span<int> exceptions, ref int count)
    {
        for (var lane = 0; lane < Vector<long>.Count; lane++)
        {
            if (fits[lane] == 0)
            {
                integers[from + lane] = from + lane == 0 ? 0 : integers[from + lane - 1];
                exceptions[count++] = from + lane;
            }
        }
    }
}
