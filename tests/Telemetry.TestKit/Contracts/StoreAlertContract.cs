using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// The contract of every store: states of alert rules, and the alert outbox with its head in the partition's row.
/// </summary>
public abstract class StoreAlertContract : StoreLedgerContract
{
    private static readonly AlertStateRow Firing = new(
        new AlertStateId(Gateway, "hot", new(ulong.MaxValue, 1)), ulong.MaxValue - 1,
        new RuleState(AlertPhase.Firing, UInt128.MaxValue - 5, -7, -6, 1e300, 1L << 60)
        {
            Memory = new MeasureMemory(-5, 0.25),
        })
    {
        Gap = new AlertGap(-9, 1L << 60, new AlertCheckpoint(
            ulong.MaxValue, new RuleState(AlertPhase.Firing, UInt128.MaxValue - 4, -8, -7, double.NaN, -9)
            {
                Memory = new MeasureMemory(-6, double.NaN),
            })),
    };

    [Fact]
    public Task States_of_rules_come_back_with_their_gateway_and_the_last_one_counts() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var quiet = new AlertStateRow(new AlertStateId(Gateway, "cold", new(5, 5)), 3, RuleState.QuietAt(9))
        {
            Gap = new AlertGap(3, 4, null),
        };
        row = await Commit(
            under.Store, row, c => c.AlertStates.AddRange([Firing with { RuleVersion = 1 }, quiet, Firing]));
        Assert.Equal([quiet, Firing], await States(under));
        Assert.Empty((await Load(under.Store, Other)).AlertStates);

        quiet = quiet with
        {
            State = new RuleState(AlertPhase.Pending, 0, 10, 0, 0.5, 11),
            RuleVersion = 4,
            Gap = null,
        };
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
            c.AlertStates.Add(other with { RuleVersion = 12 });
            c.RemovedAlertStates.AddRange([Firing.Id, other.Id]);
        });

        Assert.Equal([other with { RuleVersion = 12 }], await States(under));
    });

    [Fact]
    public Task History_keeps_the_first_publication_of_an_instance_and_its_last_state() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var open = new AlertRow(
            UInt128.MaxValue - 5, Firing.Id, ulong.MaxValue - 1, "critical", AlertInstanceState.Firing, -7, -6, null,
            81.5)
        { NamedMicros = -9, IsLate = true, DelayMicros = 99 };
        var closed = open with { Id = 4, EndedMicros = 500, State = AlertInstanceState.Resolved };
        var revised = open with
        {
            RuleVersion = 3,
            BeganMicros = -70,
            EndedMicros = 60,
            State = AlertInstanceState.Resolved,
            Peak = 90,
            Revision = 2,
            Said = 1ul << 63,
            IsLate = false,
            DelayMicros = 0,
            Severity = "info",
            NamedMicros = -70,
        };

        row = await Commit(under.Store, row, c => c.Alerts.AddRange([open, closed]));
        Assert.Equal([closed, open], await Alerts(0));
        await Commit(under.Store, row, c => c.Alerts.AddRange([open with { Said = 1 }, revised]));

        var after = revised with
        {
            Said = (1ul << 63) | 1,
            IsLate = true,
            DelayMicros = 99,
            Severity = "critical",
            NamedMicros = -9,
        };
        Assert.Equal([closed, after], await Alerts(60));
        Assert.Equal([closed], await Alerts(61));
        Assert.Empty(await under.Store.AlertHistory.LoadAsync(Other, 0, default));

        async Task<IEnumerable<AlertRow>> Alerts(long since) =>
            (await under.Store.AlertHistory.LoadAsync(Gateway, since, default)).OrderBy(a => a.Id);
    });

    [Fact]
    public Task Gateways_with_gaps_are_found_by_partition() => RunAsync(async under =>
    {
        var (first, second) = (await Take(under.Store, 0), await Take(under.Store, 1));
        var other = Firing with { Id = Firing.Id with { Gateway = Other }, Gap = null };
        first = await Commit(under.Store, first, c =>
        {
            c.Gateways.Add(GatewayRow.New(Gateway, 0));
            c.AlertStates.Add(Firing);
        });
        await Commit(under.Store, second, c =>
        {
            c.Gateways.Add(GatewayRow.New(Other, 1));
            c.AlertStates.Add(other);
        });

        Assert.Equal([Gateway], await under.Store.AlertHistory.FindGapsAsync(0, default));
        Assert.Empty(await under.Store.AlertHistory.FindGapsAsync(1, default));
        await Commit(under.Store, first, c => c.AlertStates.Add(Firing with { Gap = null }));
        Assert.Empty(await under.Store.AlertHistory.FindGapsAsync(0, default));
    });

    [Fact]
    public Task Readings_of_series_come_in_the_order_of_time() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var list = Extend(
            SeriesList.Empty(Gateway), Series("pump", "a"), Series("pump", "b"), Series("pump", "c"));
        var (a, b, c) = (list.List.Entries[0], list.List.Entries[1], list.List.Entries[2]);
        await Commit(under.Store, row, commit =>
        {
            commit.Schemas.Add(list);
            foreach (var (series, time) in new[] { (a, 50), (b, 40), (c, 45), (a, 30), (a, 10), (b, 60) })
            {
                commit.Readings.Add(series, time, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(time / 4.0));
            }
        });

        Assert.Equal([(a, 30, 7.5), (b, 40, 10), (a, 50, 12.5), (b, 60, 15)], await Read(10, 60, 99));
        Assert.Equal([(a, 30, 7.5), (b, 40, 10)], await Read(10, 60, 2));
        Assert.Equal([(b, 40, 10)], await Read(30, 49, 99));

        async Task<IEnumerable<(SeriesEntry, long, double)>> Read(long after, long through, int most)
        {
            var rows = new ReadingBuffer();
            await under.Store.AlertHistory.ReadAsync([a, b], after, through, rows, most, default);
            return Enumerable.Range(0, rows.Count)
                .Select(i => (rows.Series[i], rows.Times[i], BitConverter.UInt64BitsToDouble(rows.Bits[i])));
        }
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
