namespace Telemetry.SystemTests.Cluster;

/// <summary>How large a cluster is.</summary>
public sealed record ClusterOptions
{
    /// <summary>Gateways in the one process of the fleet; one more runs alone, in a process of its own.</summary>
    public int FleetGateways { get; init; } = 19;

    /// <summary>Partitions.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Readings a second of each gateway.</summary>
    public int ReadingsPerSecond { get; init; } = 200;

    /// <summary>One text in so many of the lone gateway is one that the database must reject; 0: none.</summary>
    public int UnstorableTextEvery { get; init; } = 50;

    /// <summary>
    /// One reading in so many of the lone gateway has a time that the processor is told to reject; 0: none.
    /// </summary>
    public int OldTimeEvery { get; init; } = 400;

    /// <summary>
    /// One reading in so many of each gateway is dropped by the outboxes' test hook, and declared; 0: none.
    /// </summary>
    public int DropEvery { get; init; } = 500;

    /// <summary>True: the lone agent measures this machine too.</summary>
    public bool HostMetrics { get; init; }

    /// <summary>True: one more agent takes line protocol by HTTP, from a sender that measures this machine.</summary>
    public bool WithSite { get; init; } = true;

    /// <summary>True: rules are evaluated, and a relay publishes their alerts to a Kafka.</summary>
    public bool WithAlerts { get; init; } = true;

    /// <summary>True: the agent that takes line protocol has a link of its own, which can be cut alone.</summary>
    public bool SiteHasItsOwnLink { get; init; }

    /// <summary>The width of all windows, in seconds; 0: as the product has it.</summary>
    public int WindowSeconds { get; init; }

    /// <summary>The processor's name in the leases; null: another one with each start.</summary>
    public string? ProcessorOwner { get; init; }

    /// <summary>How many gateways have an agent.</summary>
    public int Gateways => FleetGateways + 1 + (WithSite ? 1 : 0);

    /// <summary>
    /// Where PostgreSQL's commits go to: the disk, or only the kernel (faster; survives every kill of a process).
    /// </summary>
    public bool ForceToDisk { get; init; } = true;
}
