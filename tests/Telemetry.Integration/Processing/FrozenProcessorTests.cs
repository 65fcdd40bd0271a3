using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>Processes and databases that stand still without a word, as a paused container does.</summary>
public sealed class FrozenProcessorTests(ITestOutputHelper output)
{
    /// <summary>
    /// What a partition of a frozen owner may be without a commit: a lease (2.5 s unless set), two looks a second
    /// apart, and the session's end. Measured 3.8 to 4.0 s; without all that it is until the process goes on. Generous,
    /// as the machine may be busy.
    /// </summary>
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(10);

    [ServersFact(nats: true, postgres: true)]
    public async Task Processor_frozen_in_a_copy_stops_nobody_and_finds_that_it_is_no_owner_when_it_goes_on()
    {
        await using var pair = await ProcessorPair.Start();
        await pair.Begin(new Dictionary<string, string> { ["TELEMETRY_CRASH_AT"] = "in-copy:5:stop" });
        await ProcessorPair.Until(
            "it is frozen", () => Task.FromResult(ProcessorPair.IsFrozen(pair.A.Process.Id)));
        var owners = await pair.Owners();

        var stalls = await pair.Stalls(StallMax + TimeSpan.FromSeconds(3));
        output.WriteLine($"owners {string.Join(" ", owners)}, longest without a commit {string.Join(" ", stalls)}");
        Assert.All(stalls, stall => Assert.InRange(stall, TimeSpan.Zero, StallMax));
        Assert.All(await pair.Names(), owner => Assert.Equal("b", owner));
        await pair.B.OutputWith("Ended database session ");

        pair.A.Process.Signal(ProcessSignal.Continue);
        await pair.UntilSpread();
        await pair.UntilStored();
        var verdict = await pair.Source.Judge(pair.Postgres.ConnectionString);
        Assert.True(verdict.Balanced, verdict.ToString());
        Assert.Equal(pair.Source.Sent, (await pair.Stored()).Sum());
        Assert.DoesNotContain(
            "   at ", await File.ReadAllTextAsync(pair.A.Process.OutputFile), StringComparison.Ordinal);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Database_that_stood_still_for_three_leases_ends_no_session_and_takes_the_next_commits()
    {
        await using var pair = await ProcessorPair.Start();
        await pair.Begin();
        await ProcessorPair.Until("readings are stored", async () => (await pair.Stored()).All(stored => stored > 500));
        const string sessions = """
            SELECT pid FROM pg_stat_activity
            WHERE query LIKE 'COMMIT%' OR query LIKE 'COPY%' OR query LIKE 'WITH held%'
            """;
        var before = await pair.Column(sessions, r => r.GetInt32(0));
        var owners = await pair.Names();
        var server = pair.Postgres.Process.Id;
        int[] all = [server, .. ProcessTree.DescendantsOf(server).Select(process => process.Id)];
        foreach (var process in all)
        {
            ServerProcess.Send(process, (int)ProcessSignal.Stop);
        }

        await Task.Delay(ProcessorPair.Lease * 3);
        foreach (var process in all)
        {
            ServerProcess.Send(process, (int)ProcessSignal.Continue);
        }

        var stored = await pair.Stored();
        await ProcessorPair.Until(
            "each partition stores again", async () => (await pair.Stored()).Zip(stored).All(s => s.First > s.Second));
        Assert.Equal(owners, await pair.Names());
        Assert.Subset((await pair.Column(sessions, r => r.GetInt32(0))).ToHashSet(), before.ToHashSet());
        foreach (var process in new[] { pair.A, pair.B })
        {
            var log = await File.ReadAllTextAsync(process.Process.OutputFile);
            Assert.DoesNotContain("Ended database session", log, StringComparison.Ordinal);
            Assert.DoesNotContain("Gave up partitions", log, StringComparison.Ordinal);
        }

        await pair.UntilStored();
        var verdict = await pair.Source.Judge(pair.Postgres.ConnectionString);
        Assert.True(verdict.Balanced, verdict.ToString());
    }
}
