using System.Text;

namespace Telemetry.Cloud.Commands.Devices;

/// <summary>A record of a CSV file: the line on which it begins, its fields, or what is wrong with it.</summary>
internal readonly record struct CsvRecord(int Line, IReadOnlyList<string> Fields, string? Problem);

/// <summary>
/// Reads CSV as RFC 4180 describes it: commas, double quotes around fields, line breaks within quotes. Empty lines are
/// skipped. A record with a problem ends at the end of its line.
/// </summary>
internal static class CsvRecords
{
    public static IEnumerable<CsvRecord> Read(string text)
    {
        var position = 0;
        var line = 1;
        while (position < text.Length)
        {
            var begin = line;
            var record = Next(text, ref position, ref line) with { Line = begin };
            if (record.Problem is not null || record.Fields is not [""])
            {
                yield return record;
            }
        }
    }

    private static CsvRecord Next(string text, ref int position, ref int line)
    {
        var fields = new List<string>();
        string? problem = null;
        while (true)
        {
            var quoted = position < text.Length && text[position] == '"';
            fields.Add(quoted
                ? Quoted(text, ref position, ref line, ref problem)
                : Plain(text, ref position, ref problem));
            if (problem is not null)
            {
                position = EndOfLine(text, position);
            }

            if (position < text.Length && text[position] == ',')
            {
                position++;
                continue;
            }

            if (position < text.Length)
            {
                position += text[position] == '\r' && position + 1 < text.Length && text[position + 1] == '\n' ? 2 : 1;
                line++;
            }

            return new CsvRecord(line, fields, problem);
        }
    }

    private static string Plain(string text, ref int position, ref string? problem)
    {
        var end = position;
        while (end < text.Length && text[end] is not (',' or '\n' or '\r'))
        {
            if (text[end] == '"')
            {
                problem ??= "has a double quote within a field; put the field in double quotes, and double that one";
            }

            end++;
        }

        var field = text[position..end];
        position = end;
        return field;
    }

    private static string Quoted(string text, ref int position, ref int line, ref string? problem)
    {
        var field = new StringBuilder();
        var breaks = 0;
        for (var i = position + 1; i < text.Length; i++)
        {
            if (text[i] != '"')
            {
                breaks += text[i] == '\n' ? 1 : 0;
                field.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else
            {
                position = i + 1;
                line += breaks;
                if (position < text.Length && text[position] is not (',' or '\n' or '\r'))
                {
                    problem ??= "has text behind the closing double quote of a field";
                }

                return field.ToString();
            }
        }

        // The rest of the file is not taken for one field: the lines below may be good.
        problem ??= "opens a double quote that nothing closes";
        return "";
    }

    private static int EndOfLine(string text, int position)
    {
        var end = text.AsSpan(position).IndexOfAny('\r', '\n');
        return end < 0 ? text.Length : position + end;
    }
}
