using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <content>
/// Runs of readings. Most readings are plain: good, with a value, and later than the one before. What a plain reading
/// changes stays in registers until the next. The results are bit for bit those of adding the readings one by one.
/// </content>
public sealed partial class WindowPart
{
    /// <summary>Adds a run of readings; <paramref name="hashes"/> has the <see cref="ReadingHash"/> of each.</summary>
    public void Add(
        ReadOnlySpan<long> times, ReadOnlySpan<ReadingFlags> flags, ReadOnlySpan<ulong> bits,
        ReadOnlySpan<ulong> hashes)
    {
        for (var at = 0; at < times.Length; at++)
        {
            if (Values > 0 && HasNumbers && !_hasQuantiles)
            {
                var count = IsExact
                    ? AddExact(times[at..], flags[at..], bits[at..])
                    : AddDoubles(times[at..], flags[at..], bits[at..]);
                (Count, Values) = (Count + count, Values + count);
                for (; count > 0; count--)
                {
                    HashSum += hashes[at++];
                }
            }

            if (at < times.Length)
            {
                Add(times[at], flags[at], bits[at], hashes[at]);
            }
        }
    }

    /// <summary>Adds the values of the readings at the start that are plain and exact; returns how many.</summary>
    private int AddExact(ReadOnlySpan<long> times, ReadOnlySpan<ReadingFlags> flags, ReadOnlySpan<ulong> bits)
    {
        var (type, decimals, at) = (Series.Type, Series.Decimals, 0);
        var (last, number, integral, distances) = (LastTime, _last, Integral, _distances);
        var (min, max, exact, sum) = ((long)MinBits, (long)MaxBits, (long)LastBits, _exactSum);
        for (; at < times.Length && IsPlain(flags[at]) && times[at] > last; at++)
        {
            var value = (long)bits[at];
            if (type == MetricType.Float ? !ScaledNumber.TryScale(bits[at], decimals, out value)
                : type == MetricType.UInt && value < 0)
            {
                break;
            }

            integral += number * ((times[at] - last) / (double)WindowSpan.MicrosOfSecond);
            (last, exact) = (times[at], value);
            number = type == MetricType.Float ? BitConverter.UInt64BitsToDouble(bits[at]) : value;
            (min, max) = (Math.Min(min, value), Math.Max(max, value));
            sum += value;
            distances.Add(number);
        }

        (LastTime, _last, Integral, _distances) = (last, number, integral, distances);
        (MinBits, MaxBits, LastBits, _exactSum) = ((ulong)min, (ulong)max, (ulong)exact, sum);
        return at;
    }

    /// <summary>
    /// Adds the values of the readings at the start that are plain and numbers, as doubles; returns how many.
    /// </summary>
    private int AddDoubles(ReadOnlySpan<long> times, ReadOnlySpan<ReadingFlags> flags, ReadOnlySpan<ulong> bits)
    {
        var (type, at) = (Series.Type, 0);
        var (last, number, integral, distances) = (LastTime, _last, Integral, _distances);
        var (min, max, own, sum) = (MinBits, MaxBits, LastBits, _sum);
        for (; at < times.Length && IsPlain(flags[at]) && times[at] > last; at++)
        {
            var value = WindowValues.Number(type, bits[at]);
            if (double.IsNaN(value))
            {
                break;
            }

            integral += number * ((times[at] - last) / (double)WindowSpan.MicrosOfSecond);
            (last, number, own) = (times[at], value, BitConverter.DoubleToUInt64Bits(value));
            min = WindowValues.Compare(false, min, own) <= 0 ? min : own;
            max = WindowValues.Compare(false, max, own) >= 0 ? max : own;
            sum.Add(value);
            distances.Add(value);
        }

        (LastTime, _last, Integral, _distances) = (last, number, integral, distances);
        (MinBits, MaxBits, LastBits, _sum) = (min, max, own, sum);
        return at;
    }

    private static bool IsPlain(ReadingFlags flags) => (flags & (ReadingFlags.Null | ReadingFlags.QualityMask)) == 0;
}
