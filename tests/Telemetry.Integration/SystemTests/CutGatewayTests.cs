using System.Globalization;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Windows;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.SystemTests;

/// <summary>
/// Windows while a gateway is cut off, with real agents, nats-server and PostgreSQL. The cut lasts 20 s, or as many
/// seconds as TELEMETRY_TEST_CUT_SECONDS says.
/// </summary>
public sealed class CutGatewayTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Cut = TimeSpan.FromSeconds(int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_TEST_CUT_SECONDS") ?? "20", CultureInfo.InvariantCulture));

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5) + Cut;

    [ServersFact(nats: true, postgres: true)]
    public async Task Windows_of_a_cut_gateway_wait_and_are_complete_after_the_drain_with_late_ones_as_revisions()
    {
        using var limit = new CancellationTokenSource(Limit);
        await using var cluster = await LocalCluster.StartAsync(CutGateway.Options);
        var scenario = new CutGateway(cluster, Cut);

        var report = await scenario.RunAsync(limit.Token);

        var delays = scenario.DelaysOfOthers.Order().ToArray();
        output.WriteLine($"{report}; revisions: {string.Join(' ', scenario.Late)}");
        output.WriteLine(
            $"windows of others were complete {delays[delays.Length / 2].TotalSeconds:0.00} s after their end in the "
            + $"middle of {delays.Length} looks, at most {delays[^1].TotalSeconds:0.00} s");
        Assert.Equal(0, report.CompleteMeanwhile);
        Assert.True(report.Incomplete > 0, "no window of the cut gateway was seen incomplete");
        Assert.Equal(0, report.IncompleteOfOthers);

        // One look in ten may find the machine busy.
        Assert.InRange(delays[delays.Length * 9 / 10], TimeSpan.Zero, CutGateway.CompleteWithin);
        Assert.True(report.Windows > report.Seconds * 0.8, $"{report.Windows} windows within the cut");
        Assert.Equal(report.Windows, report.WindowsAfterwards);
        Assert.Equal(0, report.NotAsExpected);
        Assert.Equal([CutGateway.LateExpected], scenario.Late);

        await cluster.StopAgentsAsync();
        await cluster.Processor.StopAsync();
        var verdict = await WindowVerdict.ReadAsync(cluster.Postgres.ConnectionString, limit.Token);
        Assert.Empty(verdict.Faults);
    }
}
