namespace Telemetry.Model.Frames.Columns;

/// <summary>The units in which a column's times are whole: 0 microseconds, 1 milliseconds, 2 seconds, 3 minutes.</summary>
internal static class TimeUnit
{
    private static readonly long[] All = [1, 1_000, 1_000_000, 60_000_000];

    /// <summary>A unit in microseconds.</summary>
    public static long Micros(int unit) => All[unit];

    /// <summary>The largest unit that all differences from the first are whole in.</summary>
    public static int Of(ReadOnlySpan<long> times)
    {
        var unit = All.Length - 1;
        for (var i = 1; i < times.Length && unit > 0; i++)
        {
            var difference = times[i] - times[0];
            while (!IsWhole(difference, unit))
            {
                unit--;
            }
        }

        return unit;
    }

    /// <summary>The differences from the first time in units.</summary>
    public static void Divide(ReadOnlySpan<long> times, int unit, Span<long> into)
    {
        var first = times[0];
        into = into[..times.Length];
        switch (unit)
        {
            case 3:
                for (var i = 0; i < into.Length; i++)
                {
                    into[i] = (times[i] - first) / 60_000_000;
                }

                break;
            case 2:
                for (var i = 0; i < into.Length; i++)
                {
                    into[i] = (times[i] - first) / 1_000_000;
                }

                break;
            case 1:
                for (var i = 0; i < into.Length; i++)
                {
                    into[i] = (times[i] - first) / 1_000;
                }

                break;
            default:
                for (var i = 0; i < into.Length; i++)
                {
                    into[i] = times[i] - first;
                }

                break;
        }
    }

    // Constant divisors, which the compiler turns into multiplications.
    private static bool IsWhole(long difference, int unit) => unit switch
    {
        3 => difference % 60_000_000 == 0,
        2 => difference % 1_000_000 == 0,
        1 => difference % 1_000 == 0,
        _ => true,
    };
}
