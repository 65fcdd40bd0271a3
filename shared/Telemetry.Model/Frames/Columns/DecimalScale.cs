using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Doubles that are decimals: x / 10^exponent, divided as IEEE 754 doubles, where |x| &lt; 2^51. A double belongs to a
/// scale only if that division yields exactly its bits; -0.0, NaN and infinities never do.
/// </summary>
internal static class DecimalScale
{
    /// <summary>
    /// The greatest exponent: 10^17 is exact as a double, and has more digits than a double distinguishes.
    /// </summary>
    public const int ExponentMax = 17;

    /// <summary>
    /// The integers' absolute values are below this, so that adding <see cref="Magic"/> rounds and converts them.
    /// </summary>
    public const long IntegerEnd = 1L << 51;

    /// <summary>The cost in bits of a value that is not on its column's scale.</summary>
    public const int ExceptionBits = 70;

    /// <summary>
    /// 1.5 * 2^52. Doubles of this size are whole numbers, so adding it rounds, and the bits of the sum are its own
    /// bits plus the integer.
    /// </summary>
    public const double Magic = 6755399441055744.0;

    /// <summary>The powers of ten, filled up to whole vectors with NaN, which suits no value.</summary>
    public static readonly double[] Powers =
    [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        double.NaN, double.NaN,
    ];

    /// <summary>The bits of <see cref="Magic"/>.</summary>
    public static readonly long MagicBits = BitConverter.DoubleToInt64Bits(Magic);

    /// <summary>
    /// Fills <paramref name="integers"/>. For a value that is not on the scale, its place is added to <paramref
    /// name="exceptions"/> and the integer before is repeated. Returns the number of exceptions.
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

    /// <summary>Replaces integers by doubles. Returns false when one is out of range: no writer produced it.</summary>
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

    /// <summary>The double of one integer, as <see cref="TryRestore(Span{long}, int)"/> does it.</summary>
    public static bool TryRestore(long integer, int exponent, out ulong value)
    {
        value = BitConverter.DoubleToUInt64Bits(integer / Powers[exponent]);
        return integer is >= -IntegerEnd and < IntegerEnd;
    }

    /// <summary>The integer of one value; false when it is not on the scale.</summary>
    public static bool TryConvert(double value, int exponent, out long integer)
    {
        var moved = (value * Powers[exponent]) + Magic;
        var rounded = moved - Magic;
        integer = BitConverter.DoubleToInt64Bits(moved) - MagicBits;
        return Math.Abs(rounded) < IntegerEnd
            && BitConverter.DoubleToInt64Bits(rounded / Powers[exponent]) == BitConverter.DoubleToInt64Bits(value);
    }

    private static void Except(Vector<long> fits, int from, Span<long> integers, Span<int> exceptions, ref int count)
    {
        // Without a branch, because the processor could not predict which values fit: each place is stored, and the
        // next one overwrites it if it fits.
        var last = from == 0 ? 0 : integers[from - 1];
        for (var lane = 0; lane < Vector<long>.Count; lane++)
        {
            var fit = fits[lane];
            exceptions[count] = from + lane;
            count += 1 + (int)fit;
            last ^= (last ^ integers[from + lane]) & fit;
            integers[from + lane] = last;
        }
    }
}
