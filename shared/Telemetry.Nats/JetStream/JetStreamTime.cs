using System.Globalization;

namespace Telemetry.Nats;

/// <summary>JetStream's times: RFC 3339 with up to nine digits in JSON, nanoseconds in subjects.</summary>
internal static class JetStreamTime
{
    private const long NanosecondsPerTick = 100;

    public static long ToNanoseconds(TimeSpan span) => checked(span.Ticks * NanosecondsPerTick);

    public static TimeSpan ToTimeSpan(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / NanosecondsPerTick);

    /// <summary>The server's zero time (year 1) and nothing at all are null.</summary>
    public static DateTimeOffset? ReadOptional(string? text) =>
        string.IsNullOrEmpty(text) || text.StartsWith("0001-01-01", StringComparison.Ordinal) ? null : Read(text);

    public static DateTimeOffset Read(string? text) =>
        DateTimeOffset.FromUnixTimeSeconds(0).AddTicks(ReadNanoseconds(text) / NanosecondsPerTick);

    /// <summary>Nanoseconds since 1970-01-01 UTC.</summary>
    public static long ReadNanoseconds(string? text)
    {
        // The framework keeps seven digits of a second; the last two of the server's nine are added by hand.
        var dot = text?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        var digits = "";
        var whole = text;
        if (dot >= 0)
        {
            var end = dot + 1;
            while (end < text!.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            digits = text[(dot + 1)..end];
            whole = text[..dot] + text[end..];
        }

        if (digits.Length > 9 || !DateTimeOffset.TryParse(
            whole, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var seconds))
        {
            throw new NatsProtocolException("A time in an answer is no RFC 3339 time");
        }

        var nanoseconds = digits.Length == 0 ? 0 : long.Parse(digits.PadRight(9, '0'), CultureInfo.InvariantCulture);
        return checked((seconds.ToUnixTimeSeconds() * 1_000_000_000) + nanoseconds);
    }
}
