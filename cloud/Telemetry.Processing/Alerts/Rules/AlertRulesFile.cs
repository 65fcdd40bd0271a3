using System.Text.Json;
using System.Text.Unicode;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>
/// Reads a rules file: JSON, in which comments are allowed; deploy/rules.json shows every key. All problems are
/// reported at once; each names the file, the rule and the key, and says what to use. A file with one wrong rule
/// gives no rules at all.
/// </summary>
public static class AlertRulesFile
{
    /// <summary>The largest file; a larger one is refused without reading it.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>The most rules of a file.</summary>
    public const int RulesMax = 256;

    /// <summary>The most problems reported; further ones are only counted.</summary>
    public const int ProblemsMax = 50;

    private const int DepthMax = 8;

    /// <summary>Reads a file; null when there are problems.</summary>
    public static AlertRules? Read(string path, out IReadOnlyList<string> problems)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var bytes = new byte[BytesMax + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Parse(path, bytes.AsMemory(0, length), out problems);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            problems = [$"{path}: cannot be read: {e.Message}"];
            return null;
        }
    }

    /// <summary>Reads the bytes of a file called <paramref name="name"/>; null when there are problems.</summary>
    public static AlertRules? Parse(string name, ReadOnlyMemory<byte> json, out IReadOnlyList<string> problems)
    {
        var found = new List<string>();
        var rules = Read(name, json, found);
        problems = found.Count <= ProblemsMax
            ? found
            : [.. found.Take(ProblemsMax), $"{name}: and {found.Count - ProblemsMax} more problems"];
        return found.Count == 0 ? new AlertRules(rules) : null;
    }

    private static List<AlertRule> Read(string name, ReadOnlyMemory<byte> json, List<string> problems)
    {
        if (json.Length > BytesMax)
        {
            problems.Add($"{name}: is larger than {BytesMax} bytes; use a file of at most that size");
            return [];
        }

        if (!Utf8.IsValid(json.Span))
        {
            problems.Add($"{name}: is not valid UTF-8");
            return [];
        }

        try
        {
            if (json.Span.StartsWith("\uFEFF"u8))
            {
                json = json[3..];
            }

            var options = new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = DepthMax,
            };
            using var document = JsonDocument.Parse(json, options);
            return Read(name, document.RootElement, problems);
        }
        catch (JsonException e)
        {
            problems.Add($"{name}: cannot be read as JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // JsonElement throws this for an escaped half of a surrogate pair.
            problems.Add($"{name}: contains an escaped string that is not valid Unicode");
        }

        return [];
    }

    private static List<AlertRule> Read(string name, JsonElement root, List<string> problems)
    {
        var file = new RuleKeys(root, name, problems);
        var elements = file.List("rules");
        file.End();
        if (elements.Count > RulesMax)
        {
            problems.Add($"{name}: rules: has {elements.Count} rules; use at most {RulesMax}");
            return [];
        }

        var rules = new List<AlertRule>();
        var places = new Dictionary<string, int>();
        for (var i = 0; i < elements.Count; i++)
        {
            if (AlertRuleReader.Read(elements[i], name, i + 1, problems) is not { } rule)
            {
                continue;
            }

            if (!places.TryAdd(rule.Name, i + 1))
            {
                problems.Add(
                    $"{name}: rule {i + 1}: name: '{rule.Name}' is already the name of rule {places[rule.Name]}; use "
                    + "each name once");
            }

            rules.Add(rule);
        }

        return rules;
    }
}
