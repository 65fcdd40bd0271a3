using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Offers;

/// <summary>
/// The gateway's list of series and the schemas that it was built from. New series gather until a commit takes them as
/// one schema (or several, if they take more than 16 KiB).
/// </summary>
internal sealed class SeriesRegister
{
    private const int AdditionBytesMax = SchemaMessage.AdditionBytesMax - 5;

    private readonly Dictionary<SeriesDefinition, int> _indexes = new(new SameSeries());
    private readonly List<SeriesDefinition> _definitions = [];
    private readonly List<SchemaRow> _chain;
    private readonly WireWriter _scratch = new();
    private readonly int _seriesMax;
    private MetricType[] _types = new MetricType[16];
    private readonly SeriesList _empty;

    // The lists made by schemas that commits took, first to last. Nothing else records what is taken, so undoing a
    // commit leaves no trace of it.
    private readonly List<SeriesList> _steps = [];
    private SeriesList? _current;
    private List<SchemaRow> _currentAdditions = [];
    private List<SeriesList> _currentSteps = [];

    public SeriesRegister(GatewayId gateway, IReadOnlyList<SchemaRow> chain, int seriesMax)
    {
        _seriesMax = seriesMax;
        _chain = [.. chain];
        _empty = SeriesList.Empty(gateway);
        foreach (var schema in chain)
        {
            _steps.Add(Taken.Extend(schema.Message));
        }

        foreach (var entry in Taken.Entries)
        {
            Append(entry.Definition);
        }

        _current = Taken;
    }

    /// <summary>The types of all series, by index.</summary>
    public ReadOnlySpan<MetricType> Types => _types.AsSpan(0, _definitions.Count);

    /// <summary>The durable chain of schemas.</summary>
    public IReadOnlyList<SchemaRow> Chain => _chain;

    /// <summary>All series, including a schema at the end for new series that no commit has taken yet.</summary>
    public SeriesList Current
    {
        get
        {
            if (_current is null)
            {
                MakeAdditions();
            }

            return _current!;
        }
    }

    /// <summary>The series that commits have taken.</summary>
    private SeriesList Taken => _steps.Count == 0 ? _empty : _steps[^1];

    /// <summary>True when no more series can be added.</summary>
    public bool IsFull => _definitions.Count >= _seriesMax;

    /// <summary>The index of an existing series; -1 when it does not exist.</summary>
    public int Find(SeriesDefinition series) => _indexes.GetValueOrDefault(series, -1);

    /// <summary>
    /// Finds or adds a series. Throws <see cref="ArgumentException"/> when it breaks a rule of its type.
    /// </summary>
    public int IndexOf(SeriesDefinition series)
    {
        if (_indexes.TryGetValue(series, out var index))
        {
            return index;
        }

        if (_definitions.Count >= _seriesMax)
        {
            throw new InvalidOperationException($"the outbox has {_seriesMax} series already (SeriesMax)");
        }

        RequireEncodable(series);
        _current = null;
        return Append(series);
    }

    /// <summary>
    /// The schemas that declare the new series, for the commit that is being built; the series count as taken.
    /// </summary>
    public IReadOnlyList<SchemaRow> TakeAdditions()
    {
        _ = Current;
        var taken = _currentAdditions;
        _currentAdditions = [];
        _steps.AddRange(_currentSteps);
        _currentSteps = [];
        return taken;
    }

    /// <summary>
    /// The first schema that contains a series which a commit took. Frames name the earliest schema that is sufficient:
    /// if the cloud refuses a schema at its limit, only the frames that need it wait.
    /// </summary>
    public SchemaId SchemaOf(int series)
    {
        var (low, high) = (0, _steps.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _steps[middle].Count > series ? (low, middle) : (middle + 1, high);
        }

        return _steps[low].Id;
    }

    /// <summary>The commit that took the schemas is durable.</summary>
    public void Committed(IReadOnlyList<SchemaRow> taken) => _chain.AddRange(taken);

    /// <summary>
    /// The commit that took the schemas was rolled back: the next one takes them, with those that were added since.
    /// </summary>
    public void Undo(IReadOnlyList<SchemaRow> taken)
    {
        _steps.RemoveRange(_steps.Count - taken.Count, taken.Count);
        _current = null;
    }

    private void MakeAdditions()
    {
        _currentAdditions = [];
        _currentSteps = [];
        var list = Taken;
        for (var start = list.Count; start < _definitions.Count;)
        {
            _scratch.Clear();
            var end = start;
            while (end < _definitions.Count)
            {
                _definitions[end].Write(_scratch);
                if (_scratch.Length > AdditionBytesMax)
                {
                    break;
                }

                end++;
            }

            var message = SchemaMessage.Of(list.Id, _definitions.GetRange(start, end - start));
            _currentAdditions.Add(new SchemaRow(message, _steps.Count + _currentAdditions.Count + 1));
            list = list.Extend(message);
            _currentSteps.Add(list);
            start = end;
        }

        _current = list;
    }

    private int Append(SeriesDefinition series)
    {
        var index = _definitions.Count;
        if (index == _types.Length)
        {
            Array.Resize(ref _types, index * 2);
        }

        _types[index] = series.Type;
        _indexes.Add(series, index);
        _definitions.Add(series);
        return index;
    }

    private void RequireEncodable(SeriesDefinition series)
    {
        _scratch.Clear();
        series.Write(_scratch);
        var reader = new WireReader(_scratch.Written);
        try
        {
            SeriesDefinition.Read(ref reader);
        }
        catch (WireFormatException e)
        {
            throw new ArgumentException($"the series {series.Device} {series.Metric} is invalid: {e.Message}", e);
        }

        if (_scratch.Length > AdditionBytesMax)
        {
            throw new ArgumentException($"the series {series.Device} {series.Metric} takes {_scratch.Length} bytes");
        }
    }

    /// <summary>
    /// Compares series by content. The hash is seeded per process, so that nobody outside can construct series with
    /// equal hashes.
    /// </summary>
    private sealed class SameSeries : IEqualityComparer<SeriesDefinition>
    {
        public bool Equals(SeriesDefinition? x, SeriesDefinition? y) =>
            ReferenceEquals(x, y) || (x is not null && y is not null && x.SameSeries(y));

        public int GetHashCode(SeriesDefinition series)
        {
            var hash = default(HashCode);
            hash.Add(series.Device);
            hash.Add(series.Metric);
            hash.Add(series.Type);
            foreach (var label in series.Labels)
            {
                hash.Add(label.Key);
                hash.Add(label.Value);
            }

            return hash.ToHashCode();
        }
    }
}
