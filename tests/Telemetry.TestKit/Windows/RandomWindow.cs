using System.Text;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Windows;

/// <summary>Random readings of one window, with the values and times at which folding could go wrong.</summary>
public sealed class RandomWindow(Random random)
{
    private static readonly ulong[] OddFloats =
    [
        .. ((double[])[0, -0.0, double.Epsilon, -1e-300, 1e300, double.PositiveInfinity, double.NegativeInfinity,
            0.1 + 0.2, 9007199254740993, 1e15]).Select(BitConverter.DoubleToUInt64Bits),
        0x7FF0_0000_0000_0001, 0x7FF8_DEAD_BEEF_0001, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    /// <summary>
    /// How values are: 0 integers of a few decimals, 1 floats of any size, 2 odd ones among them, 3 the greatest.
    /// </summary>
    public int Kind { get; } = random.Next(4);

    /// <summary>Readings of a window, in the order of their times; some have the same time.</summary>
    public List<PlainReading> Readings(SeriesEntry series, WindowSpan span, int count)
    {
        var rows = new ReadingBuffer();
        var few = random.Next(3) == 0;
        var times = Enumerable.Range(0, count)
            .Select(_ => span.Start + (few ? random.Next(3) : random.NextInt64(span.End - span.Start))).Order();
        foreach (var time in times)
        {
            Add(rows, series, time);
        }

        return [.. Enumerable.Range(0, count).Select(i => new PlainReading(
            rows.Times[i], rows.Flags[i], rows.IsText(i) ? 0 : rows.Bits[i], rows.HashOf(i)))];
    }

    /// <summary>Adds a random reading of a series.</summary>
    public void Add(ReadingBuffer rows, SeriesEntry series, long time)
    {
        var flags = random.Next(8) switch
        {
            0 => (ReadingFlags)(byte)Quality.Uncertain,
            1 => (ReadingFlags)(byte)Quality.Bad,
            2 => ReadingFlags.Null | (ReadingFlags)random.Next(3),
            3 => ReadingFlags.TimeEstimated,
            _ => ReadingFlags.None,
        };
        if ((flags & ReadingFlags.Null) != 0)
        {
            rows.Add(series, time, flags, 0);
        }
        else if (series.Type == MetricType.Text)
        {
            rows.AddText(series, time, flags, Encoding.UTF8.GetBytes(new string('ü', random.Next(5))));
        }
        else
        {
            rows.Add(series, time, flags, Bits(series));
        }
    }

    private ulong Bits(SeriesEntry series) => series.Type switch
    {
        MetricType.Bool => (ulong)random.Next(2),
        MetricType.Int => (ulong)(Kind == 3 ? long.MaxValue - random.Next(9) : random.Next(-99, 99)),
        MetricType.UInt => Kind switch
        {
            3 => long.MaxValue - (ulong)random.Next(9),
            2 => ulong.MaxValue - (ulong)random.Next(9),
            _ => (ulong)random.Next(99),
        },
        _ => Kind switch
        {
            2 when random.Next(3) == 0 => OddFloats[random.Next(OddFloats.Length)],
            1 => BitConverter.DoubleToUInt64Bits((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-9, 9))),
            _ => BitConverter.DoubleToUInt64Bits(Math.Round((random.NextDouble() * 40) - 9, random.Next(3))),
        },
    };
}
