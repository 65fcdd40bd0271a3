using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// The schemas of one gateway, all of them: read from the database by one query when the first one is asked for, and
/// only added to from then on, as the compare-and-set proves that nobody else registers any. Its memory is that of the
/// series, however many steps they came in. A list that two schemas extend differently (a restored image) counts once
/// for each, as each needs its own.
/// </summary>
public sealed class GatewaySchemas(GatewayId gateway)
{
    /// <summary>The most refused schemas remembered; beyond, all are forgotten and refused again.</summary>
    private const int RefusedMax = 1024;

    private readonly Dictionary<SchemaId, SeriesList> _lists = new() { [default] = SeriesList.Empty(gateway) };
    private readonly HashSet<SchemaId> _refused = [];
    private bool _atLimit;

    /// <summary>True once <see cref="Load"/> was called: what is not here is not registered.</summary>
    public bool Loaded { get; private set; }

    /// <summary>How many schemas there are.</summary>
    public int Count => _lists.Count - 1;

    /// <summary>How many series its lists hold.</summary>
    public int Series { get; private set; }

    /// <summary>How many bytes of additions there are.</summary>
    public long AdditionBytes { get; private set; }

    /// <summary>A list of series by its id; null when it is not registered, or not loaded.</summary>
    public SeriesList? Find(SchemaId id) => _lists.GetValueOrDefault(id);

    /// <summary>All series of all lists; one that stands in two lists of their own comes twice.</summary>
    public IEnumerable<SeriesEntry> Entries =>
        _lists.Values.Where(list => list.IsWholeLine).SelectMany(list => list.Entries.ToArray());

    /// <summary>Takes all that the database has. A schema whose parent is missing is left out.</summary>
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

    /// <summary>Why a schema is beyond a limit; null when it is not.</summary>
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

    /// <summary>Adds a schema that is new.</summary>
    public SeriesList Add(SeriesList parent, SchemaMessage schema)
    {
        var isBranch = !parent.IsWholeLine;
        var list = parent.Extend(schema);
        Series += list.Count - (isBranch ? 0 : parent.Count);
        AdditionBytes += schema.Additions.Length;
        return _lists[list.Id] = list;
    }

    /// <summary>True when it was refused, as far as this memory remembers.</summary>
    public bool IsRefused(SchemaId schema) => _refused.Contains(schema);

    /// <summary>Remembers that a schema was refused. True when it is the first one.</summary>
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
