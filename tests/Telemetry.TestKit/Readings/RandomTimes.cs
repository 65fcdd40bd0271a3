namespace Telemetry.TestKit.Readings;

/// <summary>
/// Times of one column, sorted: of steady sources, of ones that pause, speed up or jitter, and of none at all.
/// </summary>
internal sealed class RandomTimes(Random random)
{
    private static readonly long[] Periods = [0, 1, 1_000, 100_000, 333_333, 1_000_000, 60_000_000, 3_600_000_000];

    /// <summary>Makes so many; calm ones are near one another.</summary>
    public long[] Next(int count, bool isCalm)
    {
        var times = new long[count];
        var isWild = !isCalm && random.Next(12) == 0;
        var at = !isCalm && random.Next(10) == 0
            ? random.NextInt64(long.MinValue, long.MaxValue)
            : 1_700_000_000_000_000 + random.NextInt64(1_000_000_000);
        var period = Periods[random.Next(isCalm ? 6 : Periods.Length)];
        var jitter = random.Next(3) == 0 ? random.Next(1, 10_000) : 1;

        // So much longer is each step than the one before: then a slope foretells times best, where they jitter less.
        var slope = 0;
        if (random.Next(5) == 0)
        {
            (slope, jitter) = (random.Next(100, 5_000), random.Next(1, 50));
        }

        for (var i = 0; i < count; i++)
        {
            times[i] = isWild ? random.NextInt64(long.MinValue, long.MaxValue) : at + random.Next(jitter);
            at += period;
            period += slope;
            at += random.Next(100) == 0 ? period * random.Next(50) : 0;
        }

        Array.Sort(times);
        return times;
    }
}
