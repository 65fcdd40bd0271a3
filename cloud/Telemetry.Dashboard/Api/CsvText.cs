using System.Text;
using System.Text.Json;

namespace Telemetry.Dashboard.Api;

/// <summary>Rows of JSON as CSV (RFC 4180).</summary>
internal static class CsvText
{
    /// <summary>An array of objects with the same properties; nothing for an empty one.</summary>
    public static string Of(JsonElement rows)
    {
        var text = new StringBuilder();
        foreach (var row in rows.EnumerateArray())
        {
            if (text.Length == 0)
            {
                text.AppendJoin(',', row.EnumerateObject().Select(p => p.Name)).Append("\r\n");
            }

            text.AppendJoin(',', row.EnumerateObject().Select(p => Cell(p.Value))).Append("\r\n");
        }

        return text.ToString();
    }

    private static string Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => Quoted(Harmless(value.GetString()!)),
        _ => value.GetRawText(),
    };

    // A spreadsheet takes text that begins so for a formula, which a gateway's text must not be.
    private static string Harmless(string text) =>
        text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] && !double.TryParse(text, out _) ? $"'{text}" : text;

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
