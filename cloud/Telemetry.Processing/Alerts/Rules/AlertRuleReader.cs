using System.Globalization;
using System.Text;
using System.Text.Json;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules.Measures;
using Telemetry.Runtime.Settings;

namespace Telemetry.Processing.Alerts.Rules;

/// <summary>Reads one rule of a rules file.</summary>
internal static class AlertRuleReader
{
    /// <summary>The longest name of a rule, in characters.</summary>
    public const int NameLengthMax = 64;

    private static readonly string[] Severities = ["info", "warning", "critical"];
    private static readonly TimeSpan LateDefault = TimeSpan.FromMinutes(5), LateMin = TimeSpan.FromSeconds(1),
        LateMax = TimeSpan.FromDays(365), ForMax = TimeSpan.FromDays(30), RateMin = TimeSpan.FromMilliseconds(1),
        StuckMin = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Reads a rule; null when it has problems. <paramref name="place"/> is 1 for the first rule of the file.
    /// </summary>
    public static AlertRule? Read(JsonElement element, string file, int place, List<string> problems)
    {
        var before = problems.Count;
        var keys = new JsonKeys(element, $"{file}: rule {Label(element, place)}", problems);
        if (problems.Count > before)
        {
            return null;
        }

        var name = Name(keys);
        var severity = keys.Text("severity") ?? "warning";
        if (!Severities.Contains(severity))
        {
            keys.Problem(
                "severity",
                $"'{JsonKeys.Shown(severity)}' is not allowed; use {string.Join(", ", Severities[..^1])} or "
                + Severities[^1]);
        }

        var match = Match(keys);
        var limits = keys.Has("stuck") ? Stuck(keys) : Limits(keys);
        var rule = new AlertRule
        {
            Name = name,
            Severity = severity,
            Match = match,
            Side = limits.Side,
            Threshold = limits.Threshold,
            Clear = limits.Clear,
            Measure = limits.Measure,
            For = keys.Span("for", TimeSpan.Zero, TimeSpan.Zero, ForMax),
            Late = keys.Span("late", LateDefault, LateMin, LateMax),
        };
        keys.End();
        return problems.Count == before ? rule : null;
    }

    // A value that is stuck: the seconds without a change are beyond the duration, until it changes.
    private static (AlertSide Side, double Threshold, double Clear, IMeasure Measure) Stuck(JsonKeys keys)
    {
        foreach (var key in (string[])["above", "below", "clear", "rate"])
        {
            if (keys.Has(key))
            {
                keys.Problem(key, "is not allowed beside stuck: an alert fires when the value has not changed for that "
                    + "long, and resolves when it changes");
            }
        }

        var duration = keys.Span("stuck", StuckMin, StuckMin, ForMax);
        return (AlertSide.Above, duration.TotalSeconds, 0, new StuckMeasure(duration));
    }

    private static (AlertSide Side, double Threshold, double Clear, IMeasure Measure) Limits(JsonKeys keys)
    {
        var (above, below) = (keys.Number("above"), keys.Number("below"));
        if (keys.Has("above") == keys.Has("below"))
        {
            keys.Problem("above", "set exactly one of above and below");
        }

        var side = keys.Has("above") ? AlertSide.Above : AlertSide.Below;
        var threshold = above ?? below ?? 0;
        var clear = keys.Number("clear") ?? threshold;
        if (side == AlertSide.Above ? clear > threshold : clear < threshold)
        {
            var (word, limit) = side == AlertSide.Above ? ("at most", "above") : ("at least", "below");
            keys.Problem(
                "clear",
                $"{Show(clear)} is not allowed; use {word} {Show(threshold)} (the value of {limit}), or the alert "
                + "would clear while its condition holds");
        }

        IMeasure measure = keys.Has("rate")
            ? new RateMeasure(keys.Span("rate", RateMin, RateMin, ForMax)) : ValueMeasure.Instance;
        return (side, threshold, clear, measure);
    }

    private static string Name(JsonKeys keys)
    {
        if (keys.Text("name") is not { } name)
        {
            if (!keys.Has("name"))
            {
                keys.Problem("name", "is missing");
            }

            return "";
        }

        if (!IsName(name))
        {
            keys.Problem(
                "name",
                $"'{JsonKeys.Shown(name)}' is not allowed; use 1 to {NameLengthMax} of the characters "
                + "A-Z a-z 0-9 . _ -");
        }

        return name;
    }

    private static AlertMatch Match(JsonKeys keys)
    {
        if (!keys.Has("match"))
        {
            keys.Problem("match", "is missing");
            return new AlertMatch(NamePattern.Any, NamePattern.Any, NamePattern.Any, []);
        }

        var match = keys.Child("match");
        if (!match.Has("metric"))
        {
            match.Problem("metric", "is missing; use * to match every metric");
        }

        var labels = match.Child("labels");
        var names = labels.Names.ToArray();
        if (names.Length > SeriesDefinition.LabelsMax)
        {
            match.Problem("labels", $"has {names.Length} labels; use at most {SeriesDefinition.LabelsMax}");
            names = [.. names.Take(SeriesDefinition.LabelsMax)];
        }

        var fits = new AlertMatch(
            Pattern(match, "gateway", mayBeEmpty: false),
            Pattern(match, "device", mayBeEmpty: false),
            Pattern(match, "metric", mayBeEmpty: false),
            [.. names.Select(n => KeyValuePair.Create(n, Pattern(labels, n, mayBeEmpty: true)))]);
        match.End();
        return fits;
    }

    private static NamePattern Pattern(JsonKeys keys, string key, bool mayBeEmpty)
    {
        var text = keys.Text(key) ?? NamePattern.Any.Text;
        if (Encoding.UTF8.GetByteCount(text) > SeriesDefinition.TextBytesMax || (text.Length == 0 && !mayBeEmpty))
        {
            keys.Problem(
                key,
                $"'{JsonKeys.Shown(text)}' is not allowed; use {(mayBeEmpty ? 0 : 1)} to "
                + $"{SeriesDefinition.TextBytesMax} bytes");
            return NamePattern.Any;
        }

        return new NamePattern(text);
    }

    /// <summary>The rule's name in messages: its own name where it has one that can be shown.</summary>
    private static string Label(JsonElement element, int place) => element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
        && name.GetString() is { } text && IsName(text) ? $"'{text}'" : place.ToString(CultureInfo.InvariantCulture);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static string Show(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
