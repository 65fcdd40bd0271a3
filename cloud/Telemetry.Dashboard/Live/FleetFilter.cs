using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>What to sort the fleet by.</summary>
public enum FleetSort
{
    /// <summary>The worst first: by state, alerts, readings at risk, watermark.</summary>
    Worst,
    Name,
    Since,
    AtRisk,
    Watermark,
    Alerts,
    Clock,
    Version,
    Site,
}

/// <summary>Which part of the fleet is asked for, and in which order.</summary>
public sealed record FleetFilter
{
    public FleetSort Sort { get; init; }

    public bool Descending { get; init; }

    /// <summary>A part of the name or of a site; capital letters do not matter.</summary>
    public string Search { get; init; } = "";

    /// <summary>In one of these states; empty for all.</summary>
    public IReadOnlyList<GatewayState> States { get; init; } = [];

    /// <summary>With a device at this site; null for all.</summary>
    public string? Site { get; init; }

    /// <summary>With a device with this label, as <c>key=value</c>; null for all.</summary>
    public string? Label { get; init; }

    /// <summary>What whoever asks may see.</summary>
    public SiteLimit Sites { get; init; } = SiteLimit.None;

    public int Offset { get; init; }

    public int Limit { get; init; } = 100;

    /// <summary>True when every gateway matches.</summary>
    public bool IsEmpty => Search.Length == 0 && States.Count == 0 && Site is null && Label is null && Sites.IsNone;

    internal bool Matches(FleetColumns fleet, int i) =>
        Sites.Allows(fleet.Sites[i])
        && (States.Count == 0 || States.Contains(fleet.States[i]))
        && (Site is null || fleet.Sites[i].Contains(Site))
        && (Label is null || fleet.Labels[i].Contains(Label))
        && (Search.Length == 0 || Contains(fleet.Names[i]) || Array.Exists(fleet.Sites[i], Contains));

    private bool Contains(string text) => text.Contains(Search, StringComparison.OrdinalIgnoreCase);
}
