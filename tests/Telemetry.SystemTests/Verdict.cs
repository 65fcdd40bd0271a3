using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Checking;

namespace Telemetry.SystemTests;

/// <summary>Drains a plant, stops its agents, and judges its books from journals and SQL.</summary>
public static class Verdict
{
    /// <summary>Lets everything drain that is under way, and judges; the agents are down then.</summary>
    public static async Task<BooksVerdict> DrainAndJudgeAsync(
        this LocalCluster plant, TimeSpan within, CancellationToken cancellationToken)
    {
        await plant.WaitUntilDrainedAsync(within, cancellationToken);
        await plant.StopAgentsAsync();
        return await plant.JudgeAsync(cancellationToken);
    }

    /// <summary>Judges the books as they are now.</summary>
    public static Task<BooksVerdict> JudgeAsync(this LocalCluster plant, CancellationToken cancellationToken) =>
        new BooksChecker(plant.Postgres.ConnectionString, plant.Journals).CheckAsync(drained: true, cancellationToken);
}
