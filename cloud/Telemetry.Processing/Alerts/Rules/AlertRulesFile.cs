using System.Text.Json;
using Telemetry.Runtime.Settings;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>
/// Reads a rules file: JSON, in which comments are allowed; deploy/rules.json shows every key. All problems are
/// reported at once; each names the file, the line, the rule and the key, and says what to use. A file with one wrong
/// rule gives no rules at all.
/// </summary>
public static class AlertRulesFile
{
    /// <summary>The most rules of a file.</summary>
    public const int RulesMax = 256;

    /// <summary>Reads a file; null when there are problems, each with its line where it has one.</summary>
    public static AlertRules? Read(string path, out IReadOnlyList<string> problems)
    {
        var rules = JsonFile.Read(path, Read, out problems);
        if (rules is null && problems.Any(p => p.StartsWith($"{path}: rule ", StringComparison.Ordinal)))
        {
            try
            {
                problems = new RuleLines(File.ReadAllBytes(path)).Add(path, problems);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                // It was changed meanwhile: the lines are not known.
            }
        }

        return rules;
    }

    /// <summary>Reads the bytes of a file called <paramref name="name"/>; null when there are problems.</summary>
    public static AlertRules? Parse(string name, ReadOnlyMemory<byte> json, out IReadOnlyList<string> problems) =>
        JsonFile.Parse(name, json, Read, out problems);

    private static AlertRules Read(JsonElement root, string name, List<string> problems)
    {
        var file = new JsonKeys(root, name, problems);
        var elements = file.List("rules");
        file.End();
        if (elements.Count > RulesMax)
        {
            problems.Add($"{name}: rules: has {elements.Count} rules; use at most {RulesMax}");
            return AlertRules.None;
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

        return new AlertRules(rules);
    }
}
