using System.Globalization;

namespace Telemetry.Runtime.Settings;

/// <summary>Numbers with units, as people write them in configurations.</summary>
public static class SettingUnits
{
    private static readonly (string Unit, long Factor)[] ByteUnits =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("", 1)];

    private static readonly (string Unit, double Seconds)[] SpanUnits =
        [("ms", 0.001), ("min", 60), ("h", 3600), ("d", 86400), ("s", 1)];

    /// <summary>A whole number; null when the text is not one.</summary>
    public static long? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>A time, UTC unless it says otherwise; null when the text is not one.</summary>
    public static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : null;

    /// <summary>Bytes; null when the text is not a number of bytes.</summary>
    public static long? Bytes(string text)
    {
        var (unit, factor) = ByteUnits.First(candidate => text.EndsWith(candidate.Unit, StringComparison.Ordinal));
        var digits = text.AsSpan(0, text.Length - unit.Length).Trim();
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue / factor
                ? number * factor
                : null;
    }

    /// <summary>A time span; null when the text is not one.</summary>
    public static TimeSpan? Span(string text)
    {
        foreach (var (unit, seconds) in SpanUnits)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                var number = text.AsSpan(0, text.Length - unit.Length).Trim();
                return double.TryParse(
                    number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                    out var value) && value * seconds < 1e9
                    ? TimeSpan.FromSeconds(value * seconds)
                    : null;
            }
        }

        return null;
    }

    /// <summary>A number of bytes as it would be written.</summary>
    public static string Show(long bytes)
    {
        var (unit, factor) = ByteUnits.LastOrDefault(
            candidate => candidate.Factor > 1 && bytes >= candidate.Factor && bytes % candidate.Factor == 0, ("", 1));
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / factor} {unit}").TrimEnd();
    }

    /// <summary>A time span as it would be written.</summary>
    public static string Show(TimeSpan span)
    {
        var (number, unit) = span.TotalDays >= 1 ? (span.TotalDays, "d")
            : span.TotalHours >= 1 ? (span.TotalHours, "h")
            : span.TotalMinutes >= 1 ? (span.TotalMinutes, "min")
            : span.TotalSeconds >= 1 ? (span.TotalSeconds, "s")
            : (span.TotalMilliseconds, "ms");
        return string.Create(CultureInfo.InvariantCulture, $"{number} {unit}");
    }
}
