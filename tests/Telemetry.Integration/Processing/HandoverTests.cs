using System.Globalization;
using Telemetry.Integration.Cloud;
using Telemetry.SystemTests.Cluster;
using Telemetry.SystemTests.Windows;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>
/// Two processors share partitions, and one of them goes, while live readings gather in windows. The times are printed;
/// a busy machine may take longer once, so a second try counts.
/// </summary>
public sealed class HandoverTests(ITestOutputHelper output)
{
    private const int Tries = 3;

    /// <summary>A lease of 2.5 s, two looks a second apart, and the first commit. Measured 3.4 to 3.9 s.</summary>
    private static readonly TimeSpan AfterDeathMax = TimeSpan.FromSeconds(5);

    /// <summary>The last commit with the parts in memory, and the other's next look, 250 ms later at most.</summary>
    private static readonly TimeSpan AfterStopMax = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan WatchedAfterDeath = TimeSpan.FromSeconds(8), Watched = TimeSpan.FromSeconds(4);

    [ServersFact(nats: true, postgres: true)]
    public async Task Partitions_of_a_killed_processor_are_stored_again_within_five_seconds()
    {
        await using var pair = await Begin();
        var stalls = new List<TimeSpan>();
        for (var tries = 0; tries < Tries && !stalls.Exists(stall => stall <= AfterDeathMax); tries++)
        {
            await Restart(pair);
            var rebuilt = await Rebuilt(pair.B);
            stalls.Add(await Stall(
                pair, "killed", WatchedAfterDeath, () => pair.A.Process.Kill()));
            Assert.True(await Rebuilt(pair.B) > rebuilt, "windows that were in memory alone are folded anew");
        }

        Assert.Contains(stalls, stall => stall <= AfterDeathMax);
        await AssertWhole(pair);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Clean_stop_hands_partitions_over_within_a_second_and_nothing_is_folded_anew()
    {
        await using var pair = await Begin();
        var stalls = new List<TimeSpan>();
        for (var tries = 0; tries < Tries && !stalls.Exists(stall => stall <= AfterStopMax); tries++)
        {
            await Restart(pair);
            stalls.Add(await Stall(
                pair, "stopped", Watched, () => pair.A.Process.Stop(within: WatchedAfterDeath)));
        }

        Assert.Equal(0, await Rebuilt(pair.B));
        Assert.Contains(stalls, stall => stall <= AfterStopMax);
        await AssertWhole(pair);
    }

    private static async Task<ProcessorPair> Begin()
    {
        var pair = await ProcessorPair.Start();
        pair.Source.IsLive = true;
        await pair.Begin();
        return pair;
    }

    private static async Task Restart(ProcessorPair pair)
    {
        if (pair.A.Process.HasExited)
        {
            await pair.A.Start();
            await pair.A.WaitUntilReady();
        }

        await pair.UntilSpread();
        await UntilInMemory(pair);
    }

    // Every gateway has parts in its owner's memory alone.
    private static Task UntilInMemory(ProcessorPair pair) => ProcessorPair.Until(
        "windows gather in memory", async () => (await pair.Column(
            "SELECT count(*) >= 8 AND bool_and(window_from IS NOT NULL) FROM telemetry.gateway",
            r => r.GetBoolean(0)))[0]);

    // The longest time without a commit of the partitions that A had, and of those that B had.
    private async Task<TimeSpan> Stall(ProcessorPair pair, string how, TimeSpan watched, Func<Task> end)
    {
        var owners = await pair.Owners();
        var ending = end();
        var stalls = await pair.Stalls(watched);
        await ending;
        Assert.All(await pair.Owners(), owner => Assert.Equal("b", owner));
        var (ofA, ofB) = (Longest("a"), Longest("b"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{how}: {owners.Count(o => o == "a")} and {owners.Count(o => o == "b")} partitions; longest without a "
            + $"commit {ofA.TotalSeconds:0.00} s of its partitions, {ofB.TotalSeconds:0.00} s of the other's"));
        return ofA;

        TimeSpan Longest(string owner) => stalls.Where((_, partition) => owners[partition] == owner).Max();
    }

    private static async Task<double> Rebuilt(CloudProcess process)
    {
        using var status = new StatusClient();
        return await status.CounterAsync(
            process.HttpPort, "telemetry_processor_windows_rebuilt_total", CancellationToken.None) ?? 0;
    }

    private static async Task AssertWhole(ProcessorPair pair)
    {
        await pair.UntilStored();
        var verdict = await pair.Source.Judge(pair.Postgres.ConnectionString);
        Assert.True(verdict.Balanced, verdict.ToString());
        await pair.A.Process.Stop(within: WatchedAfterDeath);
        await pair.B.Process.Stop(within: WatchedAfterDeath);
        Assert.Empty((await WindowVerdict.ReadAsync(pair.Postgres.ConnectionString, CancellationToken.None)).Faults
            .Except(["no window is complete"]));
    }
}
