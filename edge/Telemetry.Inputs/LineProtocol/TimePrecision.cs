using Telemetry.Model.Wire;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>What one unit of a line's timestamp is, and how it becomes microseconds since 1970.</summary>
internal readonly record struct TimePrecision
{
    /// <summary>Nanoseconds, the default of every version.</summary>
    public static readonly TimePrecision Nanoseconds = new(1, 1000);

    private readonly long _factor;
    private readonly long _divisor;

    private TimePrecision(long factor, long divisor)
    {
        _factor = factor;
        _divisor = divisor;
    }

    /// <summary>A number of its own, the same in every run.</summary>
    public long Number => _factor + _divisor - 1;

    /// <summary>
    /// The word of a request's query: of version 1 n, u, ms, s, m, h; of version 2 ns, us, ms, s. Empty: nanoseconds.
    /// </summary>
    public static bool TryParse(string word, bool version2, out TimePrecision precision)
    {
        (long Factor, long Divisor)? found = word switch
        {
            "" or "ns" => (1, 1000),
            "us" => (1, 1),
            "ms" => (1000, 1),
            "s" => (1_000_000, 1),
            "n" when !version2 => (1, 1000),
            "u" or "µ" when !version2 => (1, 1),
            "m" when !version2 => (60_000_000, 1),
            "h" when !version2 => (3_600_000_000, 1),
            _ => null,
        };
        precision = found is { } value ? new TimePrecision(value.Factor, value.Divisor) : Nanoseconds;
        return found is not null;
    }

    /// <summary>Rounds down; false when it is out of the range that a reading's time can have.</summary>
    public bool TryMicros(long stamp, out long micros)
    {
        micros = 0;
        if (_divisor > 1)
        {
            micros = stamp / _divisor;
            micros -= stamp % _divisor < 0 ? 1 : 0;
        }
        else if (Math.BigMul(stamp, _factor, out micros) is var high && high != micros >> 63)
        {
            return false;
        }

        return micros is >= WireReader.TimeMin and <= WireReader.TimeMax;
    }
}
