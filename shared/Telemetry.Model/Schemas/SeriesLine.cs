using Telemetry.Model.Identity;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A gateway's series in the order in which its schemas added them; each schema of the line identifies the list up to a
/// length. It only grows at its end: 10,000 schemas of one series each keep 10,000 series, not 10,000 lists. One thread
/// at a time adds; a <see cref="SeriesList"/> never changes and may be read on any thread.
/// </summary>
public sealed class SeriesLine
{
    private const int CapacityMin = 4;
    private SeriesEntry[] _entries = [];
    private MetricType[] _types = [];

    internal SeriesLine(GatewayId gateway) => Gateway = gateway;

    /// <summary>The gateway of the series.</summary>
    public GatewayId Gateway { get; }

    /// <summary>The number of series so far.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<SeriesEntry> Entries(int count) => _entries.AsSpan(0, count);

    internal ReadOnlySpan<MetricType> Types(int count) => _types.AsSpan(0, count);

    internal void Add(IReadOnlyList<SeriesDefinition> added)
    {
        Reserve(Count + added.Count);
        foreach (var series in added)
        {
            _entries[Count] = new SeriesEntry(Gateway, series);
            _types[Count++] = series.Type;
        }
    }

    /// <summary>A new line that begins with the first series of this one.</summary>
    internal SeriesLine Branch(int count) => new(Gateway)
    {
        _entries = _entries[..count],
        _types = _types[..count],
        Count = count,
    };

    private void Reserve(int count)
    {
        if (count > _entries.Length)
        {
            var capacity = Math.Max(Math.Max(CapacityMin, count), _entries.Length * 2);
            Array.Resize(ref _entries, capacity);
            Array.Resize(ref _types, capacity);
        }
    }
}
