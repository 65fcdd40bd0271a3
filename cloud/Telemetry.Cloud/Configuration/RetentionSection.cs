using System.Globalization;
using System.Text;
using Telemetry.Model.Schemas;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Retention;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads the list <c>processor.retention</c>: for how long readings and windows are kept, by metric.</summary>
internal static class RetentionSection
{
    private const string Section = "processor.retention";

    public static RetentionRules Read(SettingsReader reader)
    {
        var entries = Entries(reader);
        if (entries.Count > RetentionRules.RulesMax)
        {
            reader.Problem(Section, $"has {entries.Count} entries; use at most {RetentionRules.RulesMax}");
        }

        if (entries.Count == 0)
        {
            return RetentionRules.None;
        }

        var rules = new List<RetentionRule>();
        foreach (var (number, keys) in entries)
        {
            var rule = Rule(reader, $"{Section}.{number}", keys);
            if (rules.Exists(other => other.Metric == rule.Metric))
            {
                reader.Problem($"{Section}.{number}.metric", $"'{rule.Metric}' has an entry already");
            }

            rules.Add(rule);
        }

        return new RetentionRules(rules);
    }

    private static SortedDictionary<int, Dictionary<string, string>> Entries(SettingsReader reader)
    {
        var entries = new SortedDictionary<int, Dictionary<string, string>>();
        foreach (var (name, value) in reader.Pairs(Section))
        {
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0
                || !int.TryParse(name.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                reader.Problem($"{Section}.{name}", "is not allowed; use a list of entries with a metric each");
                continue;
            }

            if (!entries.TryGetValue(number, out var keys))
            {
                entries[number] = keys = [];
            }

            keys[name[(dot + 1)..]] = value.Trim();
        }

        return entries;
    }

    private static RetentionRule Rule(SettingsReader reader, string entry, Dictionary<string, string> keys)
    {
        var (metric, readings) = (NamePattern.Any, (TimeSpan?)null);
        var windows = new Dictionary<int, TimeSpan>();
        if (!keys.ContainsKey("metric"))
        {
            reader.Problem($"{entry}.metric", "is missing; use * for every metric");
        }

        foreach (var (key, value) in keys.OrderBy(k => k.Key, StringComparer.Ordinal))
        {
            if (key == "metric")
            {
                metric = Metric(reader, $"{entry}.{key}", value);
            }
            else if (key == "readings")
            {
                readings = Keep(reader, $"{entry}.{key}", value);
            }
            else if (!key.StartsWith("windows.", StringComparison.Ordinal))
            {
                reader.Problem($"{entry}.{key}", "is not a key of this program; use metric, readings and windows");
            }
            else if (Width(key["windows.".Length..]) is not { } width)
            {
                reader.Problem($"{entry}.{key}", $"is not a width of windows; use {AllowedWidths()}");
            }
            else if (Keep(reader, $"{entry}.{key}", value) is { } keep && !windows.TryAdd(width, keep))
            {
                reader.Problem($"{entry}.{key}", "is set twice");
            }
        }

        return new RetentionRule(metric, readings, windows);
    }

    // The database cannot store NUL: it shows names that have it with U+FFFD, which would be another name.
    private static NamePattern Metric(SettingsReader reader, string key, string text)
    {
        if (text.Length == 0 || Encoding.UTF8.GetByteCount(text) > SeriesDefinition.TextBytesMax
            || text.Any(c => char.IsControl(c) || c == '\uFFFD'))
        {
            reader.NotAllowed(
                key, text,
                $"1 to {SeriesDefinition.TextBytesMax} bytes without control characters and U+FFFD; * stands for any "
                + "number of characters");
        }

        return new NamePattern(text);
    }

    private static TimeSpan? Keep(SettingsReader reader, string key, string text)
    {
        if (SettingUnits.Span(text) is { } keep && keep >= RetentionRule.KeepMin && keep <= RetentionRule.KeepMax)
        {
            return keep;
        }

        reader.NotAllowed(
            key, text,
            $"{SettingUnits.Show(RetentionRule.KeepMin)} to {SettingUnits.Show(RetentionRule.KeepMax)}; leave it out "
            + "to keep for ever");
        return null;
    }

    private static int? Width(string text)
    {
        foreach (var seconds in WindowWidths.Allowed)
        {
            if (SettingUnits.Span(text) == TimeSpan.FromSeconds(seconds))
            {
                return seconds;
            }
        }

        return null;
    }

    private static string AllowedWidths()
    {
        var all = WindowWidths.Allowed.Select(WindowWidth.ShowWidth).ToArray();
        return $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }
}
