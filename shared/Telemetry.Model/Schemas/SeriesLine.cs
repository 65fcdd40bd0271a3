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
    private SeriesDefinition[] _definitions = [];
    private MetricType[] _types = [];
    private ulong[] _keys = [];
    private ulong[] _deviceKeys = [];

    internal SeriesLine(GatewayId gateway) => Gateway = gateway;

    /// <summary>Whose series they are.</summary>
    public GatewayId Gateway { get; }

    /// <summary>How many series it has by now.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<SeriesDefinition> Definitions(int count) => _definitions.AsSpan(0, count);

    internal ReadOnlySpan<MetricType> Types(int count) => _types.AsSpan(0, count);

    internal ReadOnlySpan<ulong> Keys(int count) => _keys.AsSpan(0, count);

    internal ReadOnlySpan<ulong> DeviceKeys(int count) => _deviceKeys.AsSpan(0, count);

    internal void Add(IReadOnlyList<SeriesDefinition> added)
    {
        Reserve(Count + added.Count);
        foreach (var series in added)
        {
            _definitions[Count] = series;
            _types[Count] = series.Type;
            _keys[Count] = series.Key(Gateway);
            _deviceKeys[Count] = series.DeviceKey(Gateway);
            Count++;
        }
    }

    /// <summary>A line of its own that begins with the first series of this one.</summary>
    internal SeriesLine Branch(int count) => new(Gateway)
    {
        _definitions = _definitions[..count],
        _types = _types[..count],
        _keys = _keys[..count],
        _deviceKeys = _deviceKeys[..count],
        Count = count,
    };

    private void Reserve(int count)
    {
        if (count > _definitions.Length)
        {
            var capacity = Math.Max(Math.Max(CapacityMin, count), _definitions.Length * 2);
            Array.Resize(ref _definitions, capacity);
            Array.Resize(ref _types, capacity);
            Array.Resize(ref _keys, capacity);
            Array.Resize(ref _deviceKeys, capacity);
        }
    }
}
