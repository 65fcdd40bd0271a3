using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// Readings that were attempted and are not stored, by series and time. What was declared takes them away, so that no
/// missing reading explains two declarations. One thread at a time.
/// </summary>
internal sealed class MissingReadings
{
    private readonly Dictionary<SeriesIdentity, SortedDictionary<long, int>> _bySeries = [];

    /// <summary>How many are missing.</summary>
    public long Count { get; private set; }

    public void Add(SeriesIdentity series, long time)
    {
        if (!_bySeries.TryGetValue(series, out var times))
        {
            _bySeries.Add(series, times = []);
        }

        times[time] = times.GetValueOrDefault(time) + 1;
        Count++;
    }

    /// <summary>Is one missing at that time?</summary>
    public bool Has(SeriesIdentity series, long time) =>
        _bySeries.TryGetValue(series, out var times) && times.ContainsKey(time);

    /// <summary>Takes one at that time away; false when there is none.</summary>
    public bool Take(SeriesIdentity series, long time)
    {
        if (!Has(series, time))
        {
            return false;
        }

        var times = _bySeries[series];
        if (--times[time] == 0)
        {
            times.Remove(time);
        }

        Count--;
        return true;
    }

    /// <summary>Takes as many as are declared away, the oldest first; gives how many there were.</summary>
    public int Take(DropDeclaration drop)
    {
        if (!_bySeries.TryGetValue(drop.Series, out var times))
        {
            return 0;
        }

        var taken = 0;
        foreach (var time in times.Keys.SkipWhile(t => t < drop.TimeFirst).TakeWhile(t => t <= drop.TimeLast).ToList())
        {
            while (taken < drop.Readings && Take(drop.Series, time))
            {
                taken++;
            }
        }

        return taken;
    }
}
