using Telemetry.SystemTests.Cluster;

namespace Telemetry.SystemTests.Scenarios;

/// <summary>How long a kill test is.</summary>
public sealed record KillTestOptions
{
    /// <summary>Readings that are accepted at least while processes are killed.</summary>
    public long Readings { get; init; } = 2_000_000;

    /// <summary>Every process is killed once a round.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>The cluster.</summary>
    public ClusterOptions Cluster { get; init; } = new() { ReadingsPerSecond = 500 };

    /// <summary>Scenarios of log and database that are played after the storm; null: all.</summary>
    public IReadOnlyList<string>? Only { get; init; }

    /// <summary>How long everything may take to drain.</summary>
    public TimeSpan DrainWithin { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Short: for a test suite.</summary>
    public static KillTestOptions Short { get; } = new()
    {
        Readings = 20_000,
        Rounds = 1,
        Cluster = new ClusterOptions { FleetGateways = 4, ReadingsPerSecond = 200 },
        Only = [FrameLogScenarios.WipedTail, DatabaseScenarios.OnlyLogHolds, DatabaseScenarios.NobodyHolds],
        DrainWithin = TimeSpan.FromMinutes(1),
    };
}
