using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>
/// The fleet as arrays, one a column, a gateway at the same place in each. Times are microseconds since 1970 UTC, <see
/// cref="None"/> for none. It only grows: a gateway is never forgotten. Not safe for several threads.
/// </summary>
internal sealed class FleetColumns
{
    public const long None = long.MinValue;

    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public string[] Names = [];
    public int[] Partitions = [];
    public long[] Accepted = [], Stored = [], Rejected = [], Dropped = [], Lost = [];
    public long[] Watermarks = [], Changed = [];
    public string[] Forks = [];
    public int[] Firing = [];
    public string[][] Sites = [], Labels = [];
    public bool?[] Connected = [];
    public long[] Since = [], Offsets = [], Sessions = [];
    public string[] Ingresses = [], Versions = [];
    public bool[] Synchronised = [];
    public GatewayState[] States = [];

    /// <summary>Readings settled a second, as seen lately; 0 when not known.</summary>
    public double[] Rates = [];

    /// <summary>From when, and from how many settled readings on, the rate is measured.</summary>
    public long[] RateFrom = [], RateSettled = [];

    /// <summary>When it was last pushed to the pages.</summary>
    public long[] Pushed = [];

    /// <summary>The number of gateways.</summary>
    public int Count { get; private set; }

    /// <summary>Finds a gateway; false when it is not known.</summary>
    public bool TryFind(string gateway, out int place) => _places.TryGetValue(gateway, out place);

    /// <summary>Finds or adds a gateway.</summary>
    public int Place(string gateway)
    {
        if (_places.TryGetValue(gateway, out var place))
        {
            return place;
        }

        place = Count++;
        if (place == Names.Length)
        {
            Grow(Math.Max(64, place * 2));
        }

        _places.Add(gateway, place);
        (Names[place], Forks[place], Ingresses[place], Versions[place]) = (gateway, "", "", "");
        (Partitions[place], Sites[place], Labels[place]) = (-1, [], []);
        (Watermarks[place], Changed[place], Since[place], Offsets[place]) = (None, None, None, None);
        RateFrom[place] = None;
        States[place] = GatewayState.Offline;
        return place;
    }

    /// <summary>What is settled of a gateway.</summary>
    public long Settled(int i) => Sum(Sum(Stored[i], Rejected[i]), Sum(Dropped[i], Lost[i]));

    /// <summary>Readings that it accepted and that are not settled: only the edge and the log have them.</summary>
    public long AtRisk(int i) => Math.Max(0, Accepted[i] - Settled(i));

    /// <summary>Since when the gateway is in its state; <see cref="None"/> when not known.</summary>
    public long StateSince(int i) => States[i] switch
    {
        GatewayState.Draining => Watermarks[i],
        GatewayState.Fork => None,
        _ => Connected[i] is null ? Changed[i] : Since[i],
    };

    /// <summary>In how many seconds it will have drained at the present rate; null when not known.</summary>
    public double? DrainSeconds(int i) =>
        States[i] == GatewayState.Draining && AtRisk(i) > 0 && Rates[i] > 0 ? AtRisk(i) / Rates[i] : null;

    /// <summary>Takes what the database says of the connection.</summary>
    public void TakePresence(int i, FleetPresence presence)
    {
        (Connected[i], Since[i], Ingresses[i]) = (presence.Connected, presence.SinceMicros, presence.Ingress);
        (Versions[i], Offsets[i]) = (presence.Version, presence.ClockOffsetMicros ?? None);
        Synchronised[i] = presence.ClockSynchronised;
    }

    /// <summary>
    /// Measures the rate: a mean over some 30 s, in which each measurement of a second or more has its part.
    /// </summary>
    public void Measure(int i, long atMicros)
    {
        const double SpanSeconds = 30;
        var settled = Settled(i);
        var seconds = RateFrom[i] == None ? -1 : (atMicros - RateFrom[i]) / 1e6;
        if (seconds is >= 0 and < 1)
        {
            return;
        }

        if (seconds >= 1)
        {
            var share = 1 - Math.Exp(-seconds / SpanSeconds);
            var rate = Math.Max(0, settled - RateSettled[i]) / seconds;
            Rates[i] = Rates[i] == 0 ? rate : Rates[i] + (share * (rate - Rates[i]));
        }

        (RateFrom[i], RateSettled[i]) = (atMicros, settled);
    }

    /// <summary>What people would notice. A healthy gateway moves all the time, and is silent on the wire.</summary>
    public (string, int, bool?, long, string, long, long) Noticed(int i) => (
        Forks[i], Firing[i], Connected[i], Since[i], Versions[i], Offsets[i],
        States[i] == GatewayState.Fresh ? 0 : AtRisk(i));

    /// <summary>Counts over the gateways that somebody may see.</summary>
    public FleetSummary Summarize(SiteLimit limit)
    {
        var counts = new int[GatewayStates.Names.Length];
        var (gateways, atRisk, firing) = (0, 0L, 0);
        for (var i = 0; i < Count; i++)
        {
            if (limit.Allows(Sites[i]))
            {
                gateways++;
                counts[(int)States[i]]++;
                atRisk = Sum(atRisk, AtRisk(i));
                firing += Firing[i];
            }
        }

        return new FleetSummary(gateways, counts, atRisk, firing);
    }

    private static long Sum(long a, long b) => (long)Int128.Min((Int128)a + b, long.MaxValue);

    private void Grow(int length)
    {
        Array.Resize(ref Names, length);
        Array.Resize(ref Partitions, length);
        Array.Resize(ref Accepted, length);
        Array.Resize(ref Stored, length);
        Array.Resize(ref Rejected, length);
        Array.Resize(ref Dropped, length);
        Array.Resize(ref Lost, length);
        Array.Resize(ref Watermarks, length);
        Array.Resize(ref Changed, length);
        Array.Resize(ref Forks, length);
        Array.Resize(ref Firing, length);
        Array.Resize(ref Sites, length);
        Array.Resize(ref Labels, length);
        Array.Resize(ref Connected, length);
        Array.Resize(ref Since, length);
        Array.Resize(ref Offsets, length);
        Array.Resize(ref Sessions, length);
        Array.Resize(ref Ingresses, length);
        Array.Resize(ref Versions, length);
        Array.Resize(ref Synchronised, length);
        Array.Resize(ref States, length);
        Array.Resize(ref Rates, length);
        Array.Resize(ref RateFrom, length);
        Array.Resize(ref RateSettled, length);
        Array.Resize(ref Pushed, length);
    }
}
