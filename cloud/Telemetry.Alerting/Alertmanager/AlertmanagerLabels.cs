namespace Telemetry.Alerting.Alertmanager;

/// <summary>
/// The labels of an alert, by which Alertmanager knows it, groups it and silences it. Names of series' labels may have
/// characters that Alertmanager refuses, or be names of ours: then they are changed, and the series is named too, so
/// that two series never have the same labels.
/// </summary>
internal sealed class AlertmanagerLabels
{
    private readonly SortedDictionary<string, string> _labels = new(StringComparer.Ordinal);

    /// <summary>The labels; empty values are left out, as Alertmanager does.</summary>
    public IReadOnlyDictionary<string, string> All => _labels;

    /// <summary>Adds a label of ours.</summary>
    public AlertmanagerLabels Add(string name, string value)
    {
        if (value.Length > 0)
        {
            _labels[name] = value;
        }

        return this;
    }

    /// <summary>Adds the labels of a series, after all of ours.</summary>
    public AlertmanagerLabels AddSeries(IReadOnlyDictionary<string, string> labels, ReadOnlySpan<byte> series)
    {
        var changed = false;
        foreach (var (name, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            var allowed = Allowed(name);
            while (IsOurs(allowed) || _labels.ContainsKey(allowed))
            {
                allowed = "label_" + allowed;
            }

            changed |= allowed != name;
            Add(allowed, value);
        }

        return changed ? Add("series_key", Convert.ToHexStringLower(series)) : this;
    }

    private static bool IsOurs(string name) =>
        name is "alertname" or "severity" or "gateway" or "device" or "metric" or "site" or "series_key";

    // Letters, digits and underscores, beginning with a letter or an underscore.
    private static string Allowed(string name)
    {
        var allowed = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));
        return allowed.Length == 0 || char.IsAsciiDigit(allowed[0]) ? "_" + allowed : allowed;
    }
}
