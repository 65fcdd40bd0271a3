using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.DeadLetters;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>
/// One dead letter in full, for people: what it is, its readings as far as they can be told, its bytes.
/// </summary>
internal static class DeadLetterText
{
    private const int HexBytesALine = 32;

    // Shown on a terminal, not in a page; control characters are escaped all the same.
    private static readonly JsonSerializerOptions Readable =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(DeadLetterRecord record, LetterContent content)
    {
        var letter = record.Letter;
        var text = new StringBuilder();
        Line(text, "dead letter", $"{record.Id}");
        Line(text, "gateway", letter.Gateway.Value);
        Line(text, "frame", letter.Frame.Count == 0
            ? "none"
            : $"epoch {letter.Frame.Epoch:x16}, {letter.Frame.Lane.Name()} {letter.Frame.First} to "
                + $"{letter.Frame.Last}");
        Line(text, "reason", DeadLettersCommand.Name(letter.Reason));
        Line(text, "error", letter.Error);
        Line(text, "rejected at", $"{DeadLettersCommand.Time(record.StoredAt)}Z");
        Line(text, "retried at", record.RetriedAt is { } at ? $"{DeadLettersCommand.Time(at)}Z" : "never");
        Line(text, "readings", letter.Readings == 0 ? "0 (not in the books)" : $"{letter.Readings}");
        if (content.Unreadable is { } why)
        {
            Line(text, "content", why);
        }

        var rows = content.Readings;
        for (var row = 0; row < rows.Count; row++)
        {
            var series = rows.Series[row].Definition;
            var flags = rows.Flags[row];
            var notes = (Quality)(byte)(flags & ReadingFlags.QualityMask) switch
            {
                Quality.Good => "",
                var quality => $", {quality.ToString().ToLowerInvariant()}",
            } + ((flags & ReadingFlags.TimeEstimated) != 0 ? ", time estimated" : "");
            var value = $"{Value(rows, row)} {series.Unit}".TrimEnd();
            Line(text, "reading", $"{Name(series)}, {Time(rows.Times[row])}: {value}{notes}");
        }

        foreach (var (series, declaration) in content.Declarations)
        {
            Line(
                text, "dropped",
                $"{declaration.Count} of {Name(series.Definition)}, "
                    + declaration.Reason.ToString().ToLowerInvariant());
        }

        Line(text, "bytes", $"{letter.Bytes.Length}");
        for (var bytes = letter.Bytes; !bytes.IsEmpty; bytes = bytes[Math.Min(HexBytesALine, bytes.Length)..])
        {
            text.Append("  ").AppendLine(Convert.ToHexStringLower(bytes.Span[..Math.Min(HexBytesALine, bytes.Length)]));
        }

        return text.ToString();
    }

    private static string Name(SeriesDefinition series) => ColumnValues.Text(
        series.Labels.Count == 0 ? $"{series.Device} {series.Metric}"
        : $"{series.Device} {series.Metric} "
            + JsonSerializer.Serialize(series.Labels.ToDictionary(l => l.Key, l => l.Value), Readable));

    private static void Line(StringBuilder text, string name, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name,-12}").AppendLine(value);

    // A time of no calendar is told as the number that it is.
    private static string Time(long micros) => micros is > -62_135_596_800_000_000 and < 253_402_300_800_000_000
        ? ColumnValues.Time(micros).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
        : $"{micros} µs since 1970";

    private static string Value(ReadingBuffer rows, int row)
    {
        var bits = rows.Bits[row];
        return (rows.Flags[row] & ReadingFlags.Null) != 0 ? "null" : rows.Series[row].Type switch
        {
            MetricType.Float => BitConverter.UInt64BitsToDouble(bits).ToString("R", CultureInfo.InvariantCulture),
            MetricType.Int => ((long)bits).ToString(CultureInfo.InvariantCulture),
            MetricType.UInt => bits.ToString(CultureInfo.InvariantCulture),
            MetricType.Bool => bits == 0 ? "false" : "true",
            _ => JsonSerializer.Serialize(Encoding.UTF8.GetString(rows.Text(bits)), Readable),
        };
    }
}
