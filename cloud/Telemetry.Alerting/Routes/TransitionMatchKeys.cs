using System.Text;
using System.Text.Json;
using Telemetry.Model.Schemas;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Routes;

/// <summary>Reads the object <c>match</c> of a route or a webhook.</summary>
internal static class TransitionMatchKeys
{
    private static readonly string[] Severities = ["info", "warning", "critical"];

    private static readonly Dictionary<string, AlertKind> Kinds =
        Enum.GetValues<AlertKind>().ToDictionary(k => k.ToString().ToLowerInvariant());

    /// <summary>Reads the object; problems stay in the keys.</summary>
    public static TransitionMatch Read(JsonKeys match)
    {
        var labels = match.Child("labels");
        var matched = new TransitionMatch
        {
            Severities = Words(match, "severity", Severities),
            Kinds = [.. Words(match, "kind", Kinds.Keys).Select(k => Kinds[k])],
            Late = match.Has("late") ? match.Flag("late") : null,
            Rule = Pattern(match, "rule"),
            Gateway = Pattern(match, "gateway"),
            Device = Pattern(match, "device"),
            Metric = Pattern(match, "metric"),
            Site = Pattern(match, "site"),
            Labels = [.. labels.Names.ToArray().Select(n => KeyValuePair.Create(n, Pattern(labels, n)))],
        };
        match.End();
        return matched;
    }

    private static List<string> Words(JsonKeys keys, string key, IReadOnlyCollection<string> known)
    {
        var words = keys.Has(key) ? Texts(keys, key) : [];
        foreach (var word in words.Where(w => !known.Contains(w)).ToArray())
        {
            keys.Problem(key, $"'{JsonKeys.Shown(word)}' is not allowed; use {string.Join(", ", known)}");
            words.Remove(word);
        }

        return words;
    }

    /// <summary>A list of strings.</summary>
    public static List<string> Texts(JsonKeys keys, string key)
    {
        var texts = new List<string>();
        foreach (var element in keys.List(key))
        {
            if (element.ValueKind == JsonValueKind.String)
            {
                texts.Add(element.GetString()!);
            }
            else
            {
                keys.Problem(key, $"{JsonKeys.Shown(element.GetRawText())} is not allowed; use a list of strings");
            }
        }

        return texts;
    }

    private static NamePattern Pattern(JsonKeys keys, string key)
    {
        var text = keys.Text(key) ?? NamePattern.Any.Text;
        if (Encoding.UTF8.GetByteCount(text) > SeriesDefinition.TextBytesMax)
        {
            keys.Problem(
                key, $"'{JsonKeys.Shown(text)}' is not allowed; use at most {SeriesDefinition.TextBytesMax} bytes");
            return NamePattern.Any;
        }

        return new NamePattern(text);
    }
}
