namespace Telemetry.Storage.Fleet;

/// <summary>
/// Which part of the fleet somebody may see. A gateway is seen if it has a device at one of the sites and none at
/// another one; a gateway without a site is seen by those alone who may see everything.
/// </summary>
public sealed class SiteLimit
{
    /// <summary>The whole fleet.</summary>
    public static readonly SiteLimit None = new(null);

    private readonly HashSet<string> _sites;

    private SiteLimit(IReadOnlyCollection<string>? sites)
    {
        Sites = sites is null ? null : [.. sites.Distinct().Order(StringComparer.Ordinal)];
        _sites = [.. Sites ?? []];
        // Names are of any characters; their lengths keep two sets of them apart.
        Key = Sites is null ? "" : string.Concat(Sites.Select(site => $"{site.Length}:{site}"));
    }

    /// <summary>The sites, in order; null for the whole fleet.</summary>
    public IReadOnlyList<string>? Sites { get; }

    /// <summary>True where there is no limit.</summary>
    public bool IsNone => Sites is null;

    /// <summary>Equal for equal limits; empty for none.</summary>
    public string Key { get; }

    /// <summary>The limit of a user; no sites are all of them.</summary>
    public static SiteLimit Of(IReadOnlyCollection<string> sites) => sites.Count == 0 ? None : new SiteLimit(sites);

    /// <summary>True when a gateway whose devices are at these sites may be seen.</summary>
    public bool Allows(IReadOnlyList<string> sitesOfGateway) =>
        IsNone || (sitesOfGateway.Count > 0 && sitesOfGateway.All(_sites.Contains));
}
