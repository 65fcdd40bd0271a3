using System.Numerics;
using System.Runtime.InteropServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The units of a column's times, in which all of them are whole numbers: 0 microseconds, 1 milliseconds, 2 seconds, 3
/// minutes.
/// </summary>
internal static class TimeUnit
{
    private static readonly long[] All = [1, 1_000, 1_000_000, 60_000_000];

    /// <summary>A unit in microseconds.</summary>
    public static long Micros(int unit) => All[unit];

    /// <summary>
    /// Fills <paramref name="into"/> with the differences from the first time, in the largest unit in which all are
    /// whole, and returns that unit. It may be microseconds for differences of 71 years (2^51 microseconds) or more.
    /// </summary>
    public static int Divide(ReadOnlySpan<long> times, Span<long> into)
    {
        into = into[..times.Length];
        for (var unit = All.Length - 1; unit > 0; unit--)
        {
            if (TryDivide(times, All[unit], into))
            {
                return unit;
            }
        }

        var first = times[0];
        for (var i = 0; i < into.Length; i++)
        {
            into[i] = times[i] - first;
        }

        return 0;
    }

    private static bool TryDivide(ReadOnlySpan<long> times, double unit, Span<long> into)
    {
        // With doubles, in which whole numbers below 2^51 are exact, and so are their products with a unit.
        ref var from = ref MemoryMarshal.GetReference(times);
        ref var to = ref MemoryMarshal.GetReference(into);
        var first = new Vector<long>(times[0]);
        var magic = new Vector<double>(DecimalScale.Magic);
        var magicBits = new Vector<long>(DecimalScale.MagicBits);
        var end = new Vector<long>(DecimalScale.IntegerEnd);
        var inverse = 1 / unit;
        var vectors = times.Length >= VectorSteps.Least ? times.Length : 0;
        for (var at = 0; at < vectors; at = VectorSteps.Next(at, vectors))
        {
            var difference = Vector.LoadUnsafe(ref from, (nuint)at) - first;
            var number = Vector.AsVectorDouble(difference + magicBits) - magic;
            var moved = (number * inverse) + magic;
            var isWhole = Vector.Equals((moved - magic) * unit, number)
                & Vector.Equals((difference + end) >>> 52, Vector<long>.Zero);
            (Vector.AsVectorInt64(moved) - magicBits).StoreUnsafe(ref to, (nuint)at);
            if (isWhole != Vector<long>.AllBitsSet)
            {
                return false;
            }
        }

        for (var i = vectors; i < times.Length; i++)
        {
            (into[i], var rest) = Math.DivRem(times[i] - times[0], (long)unit);
            if (rest != 0)
            {
                return false;
            }
        }

        return true;
    }
}
