using Telemetry.SystemTests;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Scenarios;
using Telemetry.SystemTests.Windows;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.SystemTests;

/// <summary>
/// The short form of the kill test: real servers, every process killed once, a wiped log, a database put back.
/// </summary>
public sealed class KillTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>All that the storm's one round plays.</summary>
    private static readonly string[] Strikes =
    [
        "SIGKILL processor", "SIGKILL ingress", "SIGKILL agent", "SIGKILL nats-server", "immediate stop of PostgreSQL",
        "SIGKILL fleet", "processor killed itself at 'after-copy'", "processor killed itself at 'after-commit'",
        "processor killed itself at 'after-parts'",
        "SIGKILL relay", "SIGKILL the agent of the HTTP input", "agent killed itself at 'before-send'",
        "link cut (reset) for 4 s", "link cut (silently) for 6 s",
    ];

    [ServersFact(nats: true, postgres: true)]
    public async Task Books_balance_whatever_is_killed_wiped_or_put_back()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var output = new StringWriter();
        await using var cluster = await LocalCluster.StartAsync(KillTestOptions.Short.Cluster);
        var test = new KillTest(KillTestOptions.Short, TextWriter.Synchronized(output), terminal: false);

        var balanced = await test.RunAsync(cluster, limit.Token);

        Assert.True(balanced, output.ToString());
        Assert.True(test.Last!.Gateways.Sum(g => g.Ledger.Dropped) > 0, output.ToString());
        Assert.True(test.Last.Gateways.Sum(g => g.Ledger.Rejected) > 0, output.ToString());
        Assert.True(test.Last.Gateways.Sum(g => g.Ledger.Lost) > 0, "the last scenario loses readings, and says so");
        Assert.True(test.Alerts is { InDatabase: > 0, Faults.Count: 0 }, "alerts are made, and each leaves once");
        Assert.True(test.Windows is { Complete: > 0, Faults.Count: 0 }, output.ToString());
        Assert.True(test.WindowLooks > 10, $"windows were read {test.WindowLooks} times");
        Assert.Equal(Strikes.Order(StringComparer.Ordinal), test.Struck.Keys.Order(StringComparer.Ordinal));
        await AssertMissingPartsAreSeen(cluster, limit.Token);
        await AssertCorruptionIsSeen(cluster, "delete", "rows say", limit.Token);
        await AssertCorruptionIsSeen(cluster, "double", "stored more often than attempted", limit.Token);
        await AssertCorruptionIsSeen(cluster, "flip", "stored with another value than was sent", limit.Token);
    }

    private static async Task AssertMissingPartsAreSeen(LocalCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.ExecuteAsync(
            """
            DELETE FROM telemetry.window_part p USING telemetry.windows w
            WHERE w.series = p.series AND w.start = p.start AND w.complete
            """,
            cancellationToken);
        var verdict = await WindowVerdict.ReadAsync(cluster.Postgres.ConnectionString, cancellationToken);

        Assert.Contains(verdict.Faults, f => f.StartsWith("window ", StringComparison.Ordinal));
        Assert.Contains(verdict.Faults, f => f.EndsWith("are in windows", StringComparison.Ordinal));
    }

    private static async Task AssertCorruptionIsSeen(
        LocalCluster cluster, string way, string fault, CancellationToken cancellationToken)
    {
        await DatabaseCorruption.CorruptAsync(cluster.Postgres.ConnectionString, way, cancellationToken);
        var verdict = await cluster.JudgeAsync(cancellationToken);

        Assert.False(verdict.Balanced);
        Assert.Contains(fault, verdict.ToString(), StringComparison.Ordinal);
    }
}
