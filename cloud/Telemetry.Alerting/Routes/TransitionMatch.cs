using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Routes;

/// <summary>Which transitions are meant: those that fit every part.</summary>
public sealed record TransitionMatch
{
    /// <summary>The severities that fit; empty: all.</summary>
    public IReadOnlyList<string> Severities { get; init; } = [];

    /// <summary>The kinds that fit; empty: all.</summary>
    public IReadOnlyList<AlertKind> Kinds { get; init; } = [];

    /// <summary>Null: late ones and others.</summary>
    public bool? Late { get; init; }

    public NamePattern Rule { get; init; } = NamePattern.Any;

    public NamePattern Gateway { get; init; } = NamePattern.Any;

    public NamePattern Device { get; init; } = NamePattern.Any;

    public NamePattern Metric { get; init; } = NamePattern.Any;

    /// <summary>The site of the device's metadata; a device without metadata has the site "".</summary>
    public NamePattern Site { get; init; } = NamePattern.Any;

    /// <summary>Labels of the series; one that is named here must be present.</summary>
    public IReadOnlyList<KeyValuePair<string, NamePattern>> Labels { get; init; } = [];

    /// <summary>True when the site decides.</summary>
    public bool AsksForSite => Site != NamePattern.Any;

    /// <summary>True when a transition of a device at a site fits.</summary>
    public bool Fits(AlertTransition transition, string site) =>
        (Severities.Count == 0 || Severities.Contains(transition.Severity))
        && (Kinds.Count == 0 || Kinds.Contains(transition.Kind))
        && (Late is null || Late == transition.Late)
        && Rule.Fits(transition.Rule) && Gateway.Fits(transition.Gateway) && Device.Fits(transition.Device)
        && Metric.Fits(transition.Metric) && Site.Fits(site)
        && Labels.All(l => transition.Labels.TryGetValue(l.Key, out var value) && l.Value.Fits(value));
}
