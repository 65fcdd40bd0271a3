using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// All schemas of one gateway: read from the database by one query when the first one is needed, and only added to from
/// then on, since the compare-and-set proves that nobody else registers any. It takes as much memory as the series
/// need, in however many steps they were added. A list that two schemas extend differently (a restored image) counts
/// once for each, because each needs a list of its own.
/// </summary>
public sealed class GatewaySchemas(GatewayId gateway)
{
    /// <summary>The most refused schemas remembered; beyond it all are forgotten, and refused again.</summary>
    private const int RefusedMax = 1024;

    private readonly Dictionary<SchemaId, SeriesList> _lists = new() { [default] = SeriesList.Empty(gateway) };
    private readonly HashSet<SchemaId> _refused = [];
    private bool _atLimit;

    /// <summary>True once <see cref="Load"/> was called: a schema that is not here is then not registered.</summary>
    public bool Loaded { get; private set; }

    /// <summary>The number of schemas.</summary>
    public int Count => _lists.Count - 1;

    /// <summary>The number of series in its lists.</summary>
    public int Series { get; private set; }

    /// <summary>The number of bytes of the additions.</summary>
    public long AdditionBytes { get; private set; }

    /// <summary>A list of series by its id; null when it is not registered, or not loaded.</summary>
    public SeriesList? Find(SchemaId id) => _lists.GetValueOrDefault(id);

    /// <summary>All series of all lists; a series in two separate lists occurs twice.</summary>
    public IEnumerable<SeriesEntry> Entries =>
        _lists.Values.Where(list => list.IsWholeLine).SelectMany(list => list.Entries.ToArray());

    /// <summary>Loads everything that the database has. A schema without its parent is left out.</summary>
    public void Load(GatewaySchemaRows rows)
    {
        Loaded = true;
        var children = rows.Messages.ToLookup(m => m.Parent);
        var extended = new Stack<SeriesList>();
        extended.Push(_lists[default]);
        while (extended.TryPop(out var parent))
        {
            foreach (var child in children[parent.Id])
            {
                var list = Add(parent, child);
                Number(list.Entries[parent.Count..], rows.Series);
                extended.Push(list);
            }
        }
    }

    /// <summary>Which limit a schema exceeds, as text; null when it exceeds none.</summary>
    public string? Beyond(SchemaLimits limits, SeriesList parent, SchemaMessage schema)
    {
        if (Count >= limits.SchemasMax)
        {
            return $"the gateway has {Count} schemas already (processor.gatewaySchemasMax)";
        }

        if (AdditionBytes + schema.Additions.Length > limits.BytesMax)
        {
            return $"the gateway has {AdditionBytes} bytes of schemas already (processor.gatewaySchemaBytesMax)";
        }

        var more = schema.Series().Count + (parent.IsWholeLine ? 0 : parent.Count);
        return Series + more > limits.SeriesMax
            ? $"the gateway has {Series} series already, and {more} would be added (processor.gatewaySeriesMax)"
            : null;
    }

    /// <summary>Adds a new schema.</summary>
    public SeriesList Add(SeriesList parent, SchemaMessage schema)
    {
        var isBranch = !parent.IsWholeLine;
        var list = parent.Extend(schema);
        Series += list.Count - (isBranch ? 0 : parent.Count);
        AdditionBytes += schema.Additions.Length;
        return _lists[list.Id] = list;
    }

    /// <summary>True when it was refused, as far as this memory still knows.</summary>
    public bool IsRefused(SchemaId schema) => _refused.Contains(schema);

    /// <summary>Remembers that a schema was refused. True for the first refused schema.</summary>
    public bool Refuse(SchemaId schema)
    {
        if (_refused.Count >= RefusedMax)
        {
            _refused.Clear();
        }

        _refused.Add(schema);
        return !_atLimit && (_atLimit = true);
    }

    private static void Number(
        ReadOnlySpan<SeriesEntry> entries, IReadOnlyDictionary<SeriesIdentity, SeriesNumbers> numbers)
    {
        foreach (var entry in entries)
        {
            if (numbers.TryGetValue(entry.Identity, out var number))
            {
                (entry.Number, entry.DeviceNumber) = (number.Series, number.Device);
            }
            else
            {
                entry.Refusal = "the database refused its series when it was registered";
            }
        }
    }
}

/// <summary>How much a gateway may register.</summary>
/// <param name="SeriesMax">The most series.</param>
/// <param name="SchemasMax">The most schemas.</param>
/// <param name="BytesMax">The most bytes of all their additions together.</param>
public readonly record struct SchemaLimits(int SeriesMax, int SchemasMax, long BytesMax);
