using Xunit.Abstractions;

namespace Telemetry.Simulation.Relays;

/// <summary>G7 over worlds of relays by seed, and planted bugs that these worlds find.</summary>
public sealed class RelayTests(ITestOutputHelper output)
{
    private const int Seeds = 200;
    private const int PlantedSeeds = 100;

    [Fact]
    public void Each_alert_leaves_once_in_every_world()
    {
        var tally = new RelayTally();
        var bad = new List<string>();
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var (problems, story) = RelayWorld.Run(seed, RelayParts.Ordinary, tally);
            if (problems.Count > 0)
            {
                bad.Add($"seed {seed}: {string.Join("\n  ", problems)}\n{story}");
            }
        }

        output.WriteLine(
            $"{Seeds} worlds: {tally.Kills} kills, {tally.PutBacks} put-backs, {tally.LostCalls} lost calls, "
            + $"{tally.Refused} refused commits, {tally.Pauses} leases taken; {tally.Records} records, "
            + $"{tally.Uncommitted} with those aborted, {tally.Orphans} orphans");
        Assert.True(bad.Count == 0, $"{bad.Count} of {Seeds} seeds fail\n{string.Join("\n\n", bad.Take(3))}");
        Assert.True(
            tally.Uncommitted > tally.Records && tally.Orphans > 0 && tally.PutBacks > Seeds,
            "the worlds prove nothing");
    }

    [Fact]
    public void Writing_the_position_outside_the_transaction_is_found() =>
        Found(new RelayParts { Sink = sink => new PositionApartSink(sink) });

    [Fact]
    public void Reading_the_position_before_older_producers_are_fenced_is_found() =>
        Found(new RelayParts { Sink = sink => new EarlyPositionSink(sink), OnlyLeases = true });

    [Fact]
    public void Not_comparing_the_chain_is_found() =>
        Found(new RelayParts { Outbox = (outbox, sink) => new BlindOutbox(outbox, sink) });

    [Fact]
    public void Forgetting_what_is_skipped_when_the_next_relay_begins_is_found() =>
        Found(new RelayParts { Sink = sink => new ForgetfulSink(sink) });

    private void Found(RelayParts parts)
    {
        for (var seed = 1; seed <= PlantedSeeds; seed++)
        {
            var (problems, _) = RelayWorld.Run(seed, parts, new RelayTally());
            if (problems.Count > 0)
            {
                output.WriteLine($"seed {seed}: {problems[0]}");
                Assert.Empty(
                    RelayWorld.Run(seed, RelayParts.Ordinary with { OnlyLeases = parts.OnlyLeases }, new RelayTally())
                        .Problems);
                return;
            }
        }

        Assert.Fail($"not found by {PlantedSeeds} seeds");
    }
}
