namespace Telemetry.Storage.Fleet;

/// <summary>The fleet as the database has it.</summary>
/// <param name="AtMicros">The database's time.</param>
/// <param name="Partitions">The partitions, read before the gateways: a gateway is at least as new.</param>
/// <param name="Gateways">The gateways, in the order of their names.</param>
public sealed record FleetSnapshot(
    long AtMicros, IReadOnlyList<FleetPartition> Partitions, IReadOnlyList<FleetGateway> Gateways);

/// <summary>A partition.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Commits">The number of its ledger transactions.</param>
/// <param name="Owner">Who holds its lease, or held it last.</param>
/// <param name="LeaseUntilMicros">Until when.</param>
public readonly record struct FleetPartition(int Partition, long Commits, string Owner, long LeaseUntilMicros);

/// <summary>A gateway; times are microseconds since 1970 UTC.</summary>
public sealed record FleetGateway
{
    /// <summary>Its name.</summary>
    public required string Gateway { get; init; }

    /// <summary>Its partition; null for one of which no reading and no hello is known.</summary>
    public int? Partition { get; init; }

    public long Accepted { get; init; }

    public long Stored { get; init; }

    public long Rejected { get; init; }

    public long Dropped { get; init; }

    public long Lost { get; init; }

    public long? WatermarkMicros { get; init; }

    /// <summary>Forks that no operator has explained, one per line; empty for none.</summary>
    public string Fork { get; init; } = "";

    /// <summary>When a commit last changed it.</summary>
    public long? ChangedMicros { get; init; }

    /// <summary>The number of alerts that are firing.</summary>
    public int Firing { get; init; }

    /// <summary>The sites of its devices.</summary>
    public IReadOnlyList<string> Sites { get; init; } = [];

    /// <summary>The labels of its devices, each as <c>key=value</c>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whether it is connected; null where no ingress said anything.</summary>
    public FleetPresence? Presence { get; init; }
}

/// <summary>The connection of a gateway.</summary>
/// <param name="Connected">True while it is connected.</param>
/// <param name="SinceMicros">Since when.</param>
/// <param name="Ingress">By which ingress.</param>
/// <param name="Version">The agent's version; empty when not known.</param>
/// <param name="ClockOffsetMicros">The agent's clock less the ingress' one; null when not known.</param>
/// <param name="ClockSynchronised">True when the agent says that its clock is synchronised.</param>
public sealed record FleetPresence(
    bool Connected, long SinceMicros, string Ingress, string Version, long? ClockOffsetMicros, bool ClockSynchronised);
