using System.Text;
using Telemetry.Model.Readings;

namespace Telemetry.Testing.Readings;

/// <summary>
/// Readings of the kinds that gateways make and of the kinds that they should not: by a seed, sorted, of at most so many
/// bytes as plain columns that they fit into one frame.
/// </summary>
internal sealed class RandomReadings(Random random)
{
    private const int ReadingsMax = 600, TextBytesMax = 24 * 1024;

    private static readonly string[] Words = ["", "on", "off", "error 17", "größer", "a somewhat longer text of a log line"];

    public MetricType[] Types { get; private set; } = [];

    public ReadingBatch Batch { get; } = new();

    public int[] Order { get; private set; } = [];

    /// <summary>Makes other readings.</summary>
    public void Next()
    {
        Batch.Clear();
        var single = random.Next(4) == 0;
        var groups = single || random.Next(4) == 0 ? random.Next(1, 120) : random.Next(1, 8);
        Types = new MetricType[random.Next(groups, groups * 3)];
        for (var i = 0; i < Types.Length; i++)
        {
            Types[i] = (MetricType)random.Next(5);
        }

        var count = single ? 1 : Size(ReadingsMax / groups);
        var times = Times(count);
        for (var series = 0; series < Types.Length && groups > 0; series += random.Next(1, 3), groups--)
        {
            if (random.Next(single ? 30 : 3) == 0)
            {
                count = Size(ReadingsMax / groups);
                times = Times(count);
            }
            else if (random.Next(4) == 0)
            {
                times = Times(count);
            }

            AddGroup(series, times);
        }

        Order = new int[Batch.Count];
        Batch.Order(Order);
    }

    private int Size(int most) => random.Next(4) switch
    {
        0 => 1,
        1 => random.Next(1, Math.Max(2, Math.Min(most, 40))),
        _ => random.Next(1, Math.Max(2, most)),
    };

    private long[] Times(int count)
    {
        var times = new long[count];
        var at = random.Next(10) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : 1_700_000_000_000_000 + random.NextInt64(1_000_000_000);
        var period = new long[] { 0, 1, 1_000, 100_000, 333_333, 1_000_000, 60_000_000, 3_600_000_000 }[random.Next(8)];
        var jitter = random.Next(3) == 0 ? random.Next(1, 10_000) : 1;
        var wild = random.Next(12) == 0;
        for (var i = 0; i < count; i++)
        {
            times[i] = wild ? random.NextInt64(long.MinValue, long.MaxValue) : at + (period * i) + random.Next(jitter);
            at += random.Next(100) == 0 ? period * random.Next(50) : 0;
        }

        Array.Sort(times);
        return times;
    }

    private void AddGroup(int series, long[] times)
    {
        var next = Values(Types[series]);
        var flags = random.Next(4);
        var run = ReadingFlags.None;
        foreach (var time in times)
        {
            run = random.Next(10) == 0 ? (ReadingFlags)random.Next(16) : run;
            var flag = flags switch
            {
                0 => (ReadingFlags)random.Next(16),
                1 => run,
                _ => ReadingFlags.None,
            };
            if (Types[series] == MetricType.Text && (flag & ReadingFlags.Null) == 0 && Batch.TextBytes < TextBytesMax)
            {
                Batch.AddText(series, time, Text(), flag);
            }
            else
            {
                Batch.Add(series, time, next(), Types[series] == MetricType.Text ? flag | ReadingFlags.Null : flag);
            }
        }
    }

    private byte[] Text()
    {
        if (random.Next(50) != 0)
        {
            return Encoding.UTF8.GetBytes(Words[random.Next(Words.Length)]);
        }

        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return bytes;
    }

    private Func<ulong> Values(MetricType type)
    {
        var level = random.Next(-10_000, 10_000);
        var scale = Math.Pow(10, random.Next(0, 9));
        var step = random.Next(1, 500);
        var pool = Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.NextDouble()).ToArray();
        ulong counter = random.Next(5) == 0 ? ulong.MaxValue - 50 : (ulong)random.Next();
        return type switch
        {
            MetricType.Float => random.Next(9) switch
            {
                0 => () => Bits(random.NextDouble()),
                1 => () => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
                2 => () => Bits((float)random.NextDouble()),
                3 => () => Bits(pool[random.Next(pool.Length)]),
                4 => () => random.Next(6) switch
                {
                    0 => Bits(-0.0),
                    1 => 0x7ff8_0000_0000_0000UL | (uint)random.Next(),
                    2 => Bits(double.NegativeInfinity),
                    3 => 1UL,
                    _ => Bits(level),
                },
                5 => () => Bits(random.Next(20) == 0 ? random.NextDouble() : (level += random.Next(-9, 10)) / scale),
                _ => () => Bits((level += random.Next(-step, step + 1)) / scale),
            },
            MetricType.Bool => () => (ulong)random.Next(random.Next(30) == 0 ? 2 : 1),
            _ => random.Next(4) switch
            {
                0 => () => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
                1 => () => counter,
                2 => () => counter += (ulong)random.Next(step),
                _ => () => (ulong)(level += random.Next(-step, step + 1)),
            },
        };
    }

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
}
