using Telemetry.Model.Identity;
using Telemetry.Model.Readings;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A series as it stands in a gateway's list: its definition, its identity, and the numbers that the database gave it.
/// Only the processor, which keeps the list, sets what the database said.
/// </summary>
public sealed class SeriesEntry(GatewayId gateway, SeriesDefinition definition)
{
    /// <summary>Whose series it is.</summary>
    public GatewayId Gateway { get; } = gateway;

    /// <summary>What it is.</summary>
    public SeriesDefinition Definition { get; } = definition;

    /// <summary>What it is called in hash sums, alerts, journals and dead letters.</summary>
    public SeriesIdentity Identity { get; } = SeriesIdentity.Of(gateway, definition);

    /// <summary>The type of its values.</summary>
    public MetricType Type { get; } = definition.Type;

    /// <summary>How many decimals they have.</summary>
    public byte Decimals { get; } = definition.Decimals;

    /// <summary>
    /// The database's number of the series, 0 before it gave one. It is never told to anybody outside: a database that
    /// was put back to before the registration gives others.
    /// </summary>
    public int Number { get; set; }

    /// <summary>The database's number of its device; 0 before it gave one.</summary>
    public int DeviceNumber { get; set; }

    /// <summary>Why the database does not take the series; null where it does.</summary>
    public string? Refusal { get; set; }
}
