using Telemetry.Model.Identity;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A gateway's list of series under one schema id, with the data precomputed that decoding and storing need: a <see
/// cref="SeriesLine"/> up to some length. It never changes.
/// </summary>
public sealed class SeriesList
{
    private SeriesList(SeriesLine line, SchemaId id)
    {
        Line = line;
        Id = id;
        Count = line.Count;
    }

    /// <summary>
    /// The line that it is the beginning of; lists of one line are equal up to the end of the shorter one.
    /// </summary>
    public SeriesLine Line { get; }

    /// <summary>The gateway of the list.</summary>
    public GatewayId Gateway => Line.Gateway;

    /// <summary>The list's id.</summary>
    public SchemaId Id { get; }

    /// <summary>The number of series.</summary>
    public int Count { get; }

    /// <summary>True when nothing has extended it yet: then its line has the same length.</summary>
    public bool IsWholeLine => Count == Line.Count;

    /// <summary>The series, by index.</summary>
    public ReadOnlySpan<SeriesEntry> Entries => Line.Entries(Count);

    /// <summary>The types, by index.</summary>
    public ReadOnlySpan<MetricType> Types => Line.Types(Count);

    /// <summary>The empty list that every gateway starts from.</summary>
    public static SeriesList Empty(GatewayId gateway) => new(new SeriesLine(gateway), default);

    /// <summary>
    /// The list that a schema message makes of this one; the message's parent must be this list's id. The first
    /// extension of a list continues its line; a second one costs a copy, because the two lists differ from there on.
    /// </summary>
    public SeriesList Extend(SchemaMessage message)
    {
        if (message.Parent != Id)
        {
            throw new ArgumentException($"schema {message.Id} extends {message.Parent}, not {Id}");
        }

        var added = message.Series();
        var line = IsWholeLine ? Line : Line.Branch(Count);
        line.Add(added);
        return new SeriesList(line, message.Id);
    }
}
