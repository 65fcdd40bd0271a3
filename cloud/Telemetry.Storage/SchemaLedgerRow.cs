using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// A schema message and its gateway's list after it. The commit registers its series and gives them their numbers,
/// except those that have a <see cref="SeriesEntry.Refusal"/>.
/// </summary>
public sealed record SchemaLedgerRow(SchemaMessage Message, SeriesList List)
{
    /// <summary>The series that the message added.</summary>
    public ReadOnlySpan<SeriesEntry> Added => List.Entries[(List.Count - Message.Series().Count)..];
}

/// <summary>The numbers that the database gave to a series and its device.</summary>
public readonly record struct SeriesNumbers(int Series, int Device);

/// <summary>All schemas of a gateway, in any order, and the numbers of all series that it registered.</summary>
public sealed record GatewaySchemaRows(
    IReadOnlyList<SchemaMessage> Messages, IReadOnlyDictionary<SeriesIdentity, SeriesNumbers> Series);
