namespace Telemetry.Dashboard.Live;

/// <summary>
/// The places of the gateways in an order. An order is kept for a moment although the fleet changed, as it changes with
/// each commit.
/// </summary>
internal sealed class FleetOrder
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<(FleetSort, bool), Kept> _kept = [];

    /// <summary>Returns the places; the array must not be changed.</summary>
    public int[] Of(FleetColumns fleet, FleetSort sort, bool descending, long version, TimeProvider time)
    {
        if (_kept.TryGetValue((sort, descending), out var kept)
            && (kept.Version == version || time.GetElapsedTime(kept.At) < KeptFor)
            && kept.Places.Length == fleet.Count)
        {
            return kept.Places;
        }

        var places = new int[fleet.Count];
        for (var i = 0; i < places.Length; i++)
        {
            places[i] = i;
        }

        var compare = By(fleet, sort);
        var sign = descending ? -1 : 1;
        Array.Sort(places, (a, b) => compare(a, b) is not 0 and var order
            ? order * sign : string.CompareOrdinal(fleet.Names[a], fleet.Names[b]));
        _kept[(sort, descending)] = new Kept(version, time.GetTimestamp(), places);
        return places;
    }

    private static Comparison<int> By(FleetColumns fleet, FleetSort sort) => sort switch
    {
        FleetSort.Name => (a, b) => string.CompareOrdinal(fleet.Names[a], fleet.Names[b]),
        FleetSort.Since => (a, b) => fleet.StateSince(a).CompareTo(fleet.StateSince(b)),
        FleetSort.AtRisk => (a, b) => fleet.AtRisk(a).CompareTo(fleet.AtRisk(b)),
        FleetSort.Watermark => (a, b) => fleet.Watermarks[a].CompareTo(fleet.Watermarks[b]),
        FleetSort.Alerts => (a, b) => fleet.Firing[a].CompareTo(fleet.Firing[b]),
        FleetSort.Clock => (a, b) => Size(fleet.Offsets[a]).CompareTo(Size(fleet.Offsets[b])),
        FleetSort.Version => (a, b) => string.CompareOrdinal(fleet.Versions[a], fleet.Versions[b]),
        FleetSort.Site => (a, b) => string.CompareOrdinal(First(fleet.Sites[a]), First(fleet.Sites[b])),
        _ => (a, b) => Worst(fleet, a, b),
    };

    private static int Worst(FleetColumns fleet, int a, int b)
    {
        var order = ((byte)fleet.States[a]).CompareTo((byte)fleet.States[b]);
        order = order != 0 ? order : fleet.Firing[b].CompareTo(fleet.Firing[a]);
        order = order != 0 ? order : fleet.AtRisk(b).CompareTo(fleet.AtRisk(a));

        // Of those that are fresh the watermark says nothing more: the list stands still.
        return order != 0 || fleet.States[a] == GatewayState.Fresh ? order
            : fleet.Watermarks[a].CompareTo(fleet.Watermarks[b]);
    }

    private static long Size(long offset) => offset == FleetColumns.None ? -1 : Math.Abs(offset);

    private static string First(string[] sites) => sites.Length > 0 ? sites[0] : "";

    private sealed record Kept(long Version, long At, int[] Places);
}
