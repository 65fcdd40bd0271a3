using System.Globalization;
using System.Text.Json;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>Finds the lines of a rules file that its problems are about.</summary>
internal sealed class RuleLines
{
    private readonly Dictionary<string, int> _places = [];
    private readonly Dictionary<string, int> _lines = [];

    /// <param name="json">The bytes of a file that can be read as JSON.</param>
    public RuleLines(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(
            json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var (path, place, line, counted) = (new List<string>(), 0, 1, 0);
        while (reader.Read())
        {
            // Rules are objects at depth 2, in an array of the root; their keys follow at depth 3 and deeper.
            var at = (int)reader.TokenStartIndex;
            line += json[counted..at].Count((byte)'\n');
            counted = at;
            if (reader.TokenType == JsonTokenType.StartObject && reader.CurrentDepth == 2)
            {
                _lines[$"{++place}"] = line;
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth >= 3)
            {
                path.RemoveRange(
                    Math.Min(path.Count, reader.CurrentDepth - 3), Math.Max(0, path.Count - reader.CurrentDepth + 3));
                path.Add(reader.GetString()!);
                _lines.TryAdd($"{place}: {string.Join(": ", path)}", line);
            }
            else if (reader.TokenType == JsonTokenType.String && reader.CurrentDepth == 3 && path is ["name"])
            {
                _places.TryAdd($"'{reader.GetString()}'", place);
            }
        }
    }

    /// <summary>
    /// The problems of a file with the line of each: that of its key, or of its rule if the rule has no such key.
    /// </summary>
    public IReadOnlyList<string> Add(string file, IEnumerable<string> problems) => [.. problems.Select(problem =>
    {
        var start = $"{file}: rule ";
        if (!problem.StartsWith(start, StringComparison.Ordinal))
        {
            return problem;
        }

        var end = problem.IndexOf(": ", start.Length, StringComparison.Ordinal);
        var label = end < 0 ? "" : problem[start.Length..end];
        var place = _places.TryGetValue(label, out var named) ? named
            : int.TryParse(label, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var about = place + problem[Math.Max(end, 0)..];
        var line = _lines.Where(l => about.StartsWith($"{l.Key}: ", StringComparison.Ordinal))
            .OrderByDescending(l => l.Key.Length).Select(l => l.Value).FirstOrDefault();
        return line == 0 ? problem : $"{file}:{line}: {problem[(file.Length + 2)..]}";
    })];
}
