using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Checking;

namespace Telemetry.SystemTests;

/// <summary>Drains a cluster, stops its agents, and judges its books from journals and SQL.</summary>
public static class Verdict
{
    /// <summary>Lets everything drain that is under way, and judges; the agents are down then.</summary>
    public static async Task<BooksVerdict> DrainAndJudgeAsync(
        this LocalCluster cluster, TimeSpan within, CancellationToken cancellationToken)
    {
        await cluster.WaitUntilDrainedAsync(within, cancellationToken);
        await cluster.StopAgentsAsync();
        return await cluster.JudgeAsync(cancellationToken);
    }

    /// <summary>Judges the books as they are now.</summary>
    public static Task<BooksVerdict> JudgeAsync(this LocalCluster cluster, CancellationToken cancellationToken) =>
        new BooksChecker(cluster.Postgres.ConnectionString, cluster.Journals)
            .CheckAsync(drained: true, cancellationToken);
}
