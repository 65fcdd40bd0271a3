using System.Globalization;

namespace Telemetry.Streams.JetStream;

/// <summary>Reads JetStream's times: RFC 3339 with up to nine digits of a second.</summary>
internal static class JetStreamTime
{
    /// <summary>
    /// Nanoseconds since 1970-01-01 UTC; false when the text is not such a time. .NET's own times keep seven digits,
    /// but a position in a stream is compared by all nine.
    /// </summary>
    public static bool TryReadNanoseconds(string? text, out long nanoseconds)
    {
        nanoseconds = 0;
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
            return false;
        }

        nanoseconds = (seconds.ToUnixTimeSeconds() * 1_000_000_000)
            + (digits.Length == 0 ? 0 : long.Parse(digits.PadRight(9, '0'), CultureInfo.InvariantCulture));
        return true;
    }
}
