using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// What gives the values of one series, one after the other, as a batch has them; 64 bits are for any reading.
/// </summary>
internal sealed class RandomValues(Random random)
{
    /// <summary>Values of a series of this type; calm ones take few bits.</summary>
    public Func<ulong> Of(MetricType type, bool isCalm)
    {
        var level = random.Next(-10_000, 10_000);
        var step = random.Next(1, 500);
        return (type, isCalm) switch
        {
            (MetricType.Float, true) => CalmFloats(level, step),
            (MetricType.Float, false) => Floats(level, step),
            (MetricType.Bool, _) => Bools(),
            (_, true) => CalmIntegers(level, step),
            _ => Integers(level, step),
        };
    }

    private Func<ulong> Floats(int level, int step)
    {
        var pool = Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.NextDouble()).ToArray();
        var scale = Scale();
        return random.Next(11) switch
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
            6 => () => Bits(pool[0]),
            _ => CalmFloats(level, step),
        };
    }

    private Func<ulong> CalmFloats(int level, int step)
    {
        var scale = Scale();
        return random.Next(4) switch
        {
            0 => () => Bits(level / scale),
            1 => () => Bits((level += step) / scale),
            _ => () => Bits((level += random.Next(-step, step + 1)) / scale),
        };
    }

    private Func<ulong> Integers(int level, int step) => random.Next(4) == 0
        ? () => (ulong)random.NextInt64(long.MinValue, long.MaxValue)
        : CalmIntegers(level, step);

    private Func<ulong> CalmIntegers(int level, int step)
    {
        ulong counter = random.Next(5) == 0 ? ulong.MaxValue - 50 : (ulong)random.Next();
        return random.Next(4) switch
        {
            0 => () => counter,
            1 => () => counter += (ulong)random.Next(step),
            2 => () => counter += (ulong)step,
            _ => () => (ulong)(level += random.Next(-step, step + 1)),
        };
    }

    private Func<ulong> Bools()
    {
        var usual = random.Next(2);
        return () => (ulong)(random.Next(30) == 0 ? random.Next(2) : usual);
    }

    private double Scale() => Math.Pow(10, random.Next(0, 9));

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
}
