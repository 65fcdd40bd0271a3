using Telemetry.Model.Identity;
using Telemetry.Model.Readings;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A gateway's series in the order in which its schemas added them; each schema of the line names the list up to a
/// length. Only ever grows at its end: 10,000 schemas of one series each keep 10,000 series, not 10,000 lists. One
/// thread at a time adds; what a <see cref="SeriesList"/> shows never changes and may be read by any thread.
/// </summary>
public sealed class SeriesLine
{
    private const int CapacityMin = 4;
    private SeriesEntry[] _entries = [];
    private MetricType[] _types = [];

    internal SeriesLine(GatewayId gateway) => Gateway = gateway;

    /// <summary>Whose series they are.</summary>
    public GatewayId Gateway { get; }

    /// <summary>How many series it has by now.</summary>
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

    /// <summary>A line of its own that begins with the first series of this one.</summary>
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
