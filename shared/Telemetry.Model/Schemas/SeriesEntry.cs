using Telemetry.Model.Identity;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A series in a gateway's list: its definition, its identity, and the numbers that the database gave it. Only the
/// processor, which keeps the list, sets the properties that come from the database.
/// </summary>
public sealed class SeriesEntry(GatewayId gateway, SeriesDefinition definition)
{
    /// <summary>The gateway of the series.</summary>
    public GatewayId Gateway { get; } = gateway;

    /// <summary>The definition of the series.</summary>
    public SeriesDefinition Definition { get; } = definition;

    /// <summary>The identity in hash sums, alerts, journals and dead letters.</summary>
    public SeriesIdentity Identity { get; } = SeriesIdentity.Of(gateway, definition);

    /// <summary>The type of its values.</summary>
    public MetricType Type { get; } = definition.Type;

    /// <summary>The number of decimals of its values.</summary>
    public byte Decimals { get; } = definition.Decimals;

    /// <summary>
    /// The database's number of the series, 0 before it gave one. It never leaves the database and its owner: a
    /// database that was restored to a state before the registration gives other numbers.
    /// </summary>
    public int Number { get; set; }

    /// <summary>The database's number of its device; 0 before it gave one.</summary>
    public int DeviceNumber { get; set; }

    /// <summary>Why the database refuses the series; null when it does not.</summary>
    public string? Refusal { get; set; }
}
