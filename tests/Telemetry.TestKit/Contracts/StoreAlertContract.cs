using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// What every store does: where the rules stand, and the alert outbox with its head in the partition's row.
/// </summary>
public abstract class StoreAlertContract : StoreLedgerContract
{
    private static readonly AlertStateRow Firing = new(
        new AlertStateId(Gateway, "hot", new(ulong.MaxValue, 1)), ulong.MaxValue - 1, AlertPhase.Firing,
        UInt128.MaxValue - 5, -7, 1L << 60);

    [Fact]
    public Task States_of_rules_come_back_with_their_gateway_and_the_last_one_counts() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var quiet = new AlertStateRow(new AlertStateId(Gateway, "cold", new(5, 5)), 3, AlertPhase.Quiet, 0, 0, 9);
        row = await Commit(
            under.Store, row, c => c.AlertStates.AddRange([Firing with { TimeMicros = 1 }, quiet, Firing]));
        Assert.Equal([quiet, Firing], await States(under));
        Assert.Empty((await Load(under.Store, Other)).AlertStates);

        quiet = quiet with { Phase = AlertPhase.Pending, StartedMicros = 10, TimeMicros = 11, RuleVersion = 4 };
        await Commit(under.Store, row, c => c.AlertStates.Add(quiet));

        Assert.Equal([quiet, Firing], await States(under));
    });

    [Fact]
    public Task Removed_state_makes_room_for_one_of_the_same_commit() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var other = Firing with { Id = Firing.Id with { Series = new(6, 6) } };
        row = await Commit(under.Store, row, c => c.AlertStates.AddRange([Firing, other]));

        await Commit(under.Store, row, c =>
        {
            c.AlertStates.Add(other with { TimeMicros = 12 });
            c.RemovedAlertStates.AddRange([Firing.Id, other.Id]);
        });

        Assert.Equal([other with { TimeMicros = 12 }], await States(under));
    });

    [Fact]
    public Task Alert_outbox_keeps_its_rows_and_the_partition_its_head() => RunAsync(async under =>
    {
        var (first, second) = (await Take(under.Store, 0), await Take(under.Store, 1));
        var (a, b, c) = (Outbox(0, AlertHead.None, "a"), default(AlertOutboxRow), Outbox(1, AlertHead.None, "c"));
        b = Outbox(0, a.Head, "b");
        var commit = new StoreCommit { Partitions = { At(Step(first), b), At(Step(second), c) } };
        commit.AlertOutbox.AddRange([c, a, b]);

        Assert.Equal(CommitOutcome.Committed, await under.Store.CommitAsync(commit, default));

        Assert.Equal([Look(a), Look(b), Look(c)], (await under.ReadAlertOutbox()).Select(Look));
        var after = await Take(under.Store, 0);
        Assert.Equal(b.Head, after.Alerts);
        Assert.Equal(After(commit.Partitions[0]), after);
        after = await Commit(under.Store, after, _ => { });
        Assert.Equal(b.Head, (await Take(under.Store, 0)).Alerts);
        Assert.Equal(c.Head, (await Take(under.Store, 1)).Alerts);
    });

    private static async Task<IEnumerable<AlertStateRow>> States(IStoreUnderTest under) =>
        (await Load(under.Store)).AlertStates.OrderBy(s => s.Id.Rule, StringComparer.Ordinal);

    private static AlertOutboxRow Outbox(int partition, AlertHead before, string id)
    {
        byte[] json = [0, 255, (byte)id[0]];
        return new AlertOutboxRow(partition, before.Next(json), id, json);
    }

    private static PartitionStep At(PartitionStep step, AlertOutboxRow last) => step with { Alerts = last.Head };

    private static (int, AlertHead, string, string) Look(AlertOutboxRow row) =>
        (row.Partition, row.Head, row.Id, Convert.ToHexString(row.Json.Span));
}
