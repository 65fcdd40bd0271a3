using System.Collections.Immutable;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Simulated;

/// <summary>The owner of the relay's lease, and when it ends.</summary>
public sealed record SimulatedRelayLease(string Owner, long Token, DateTimeOffset End);

/// <summary>
/// The relay's own tables in the simulated database, and when the rows of the alert outbox were stored.
/// </summary>
public sealed record SimulatedRelayTables
{
    public static readonly SimulatedRelayTables Empty = new();

    public ImmutableDictionary<string, SimulatedRelayLease> Leases { get; init; } =
        ImmutableDictionary<string, SimulatedRelayLease>.Empty;

    /// <summary>The sites of devices that have one.</summary>
    public ImmutableDictionary<(string Gateway, string Device), string> Sites { get; init; } =
        ImmutableDictionary<(string, string), string>.Empty;

    public ImmutableDictionary<int, long> Published { get; init; } = ImmutableDictionary<int, long>.Empty;

    public ImmutableDictionary<string, PublishedAlert> Orphans { get; init; } =
        ImmutableDictionary<string, PublishedAlert>.Empty;

    public ImmutableDictionary<(int Partition, long Number), DateTimeOffset> StoredAt { get; init; } =
        ImmutableDictionary<(int, long), DateTimeOffset>.Empty;
}
