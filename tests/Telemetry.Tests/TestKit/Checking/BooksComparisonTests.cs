using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Checking;

namespace Telemetry.Tests.TestKit.Checking;

public sealed class BooksComparisonTests
{
    private static readonly SeriesIdentity Series = new(77, 1);
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly SentReadings _sent = new();

    [Fact]
    public void Books_balance_when_everything_is_stored_once()
    {
        Sent(1, 2, 3);

        Assert.True(Judge(new Totals(3, 0, 0, 0), [1, 2, 3]).Balanced);
    }

    [Fact]
    public void An_unacknowledged_reading_may_be_stored_or_not()
    {
        _sent.Add(Gateway, [Reading(1), Reading(2)], acknowledged: false);

        Assert.True(Judge(new Totals(0, 0, 0, 0), []).Balanced);
        Assert.True(Judge(new Totals(1, 0, 0, 0), [2]).Balanced);
    }

    [Fact]
    public void A_missing_row_fails()
    {
        Sent(1, 2, 3);

        AssertFault(Judge(new Totals(2, 0, 0, 0), [1, 3]), "1 acknowledged readings are not stored");
    }

    [Fact]
    public void A_missing_row_fails_though_the_totals_claim_it()
    {
        Sent(1, 2, 3);

        AssertFault(Judge(new Totals(3, 0, 0, 0), [1, 3]), "the books say stored 3, rows say 2");
    }

    [Fact]
    public void A_doubled_row_fails()
    {
        Sent(1, 2, 3);

        AssertFault(Judge(new Totals(4, 0, 0, 0), [1, 2, 2, 3]), "stored more often than attempted");
    }

    [Fact]
    public void A_row_doubled_in_the_place_of_another_fails()
    {
        Sent(1, 2, 3);

        AssertFault(Judge(new Totals(3, 0, 0, 0), [1, 2, 2]), "stored more often than attempted");
    }

    [Fact]
    public void A_changed_value_fails()
    {
        Sent(1, 2);
        var comparison = new BooksComparison(_sent);
        comparison.Row(Gateway, Series, 1, Reading(1).Hash);
        comparison.Row(Gateway, Series, 2, Reading(2).Hash ^ 1);

        AssertFault(comparison.Judge(Settled(new Totals(2, 0, 0, 0)), drained: true), "stored with another value");
    }

    [Fact]
    public void A_row_that_nobody_sent_fails()
    {
        Sent(1);

        AssertFault(Judge(new Totals(2, 0, 0, 0), [1, 2]), "stored, but never attempted");
    }

    [Fact]
    public void A_row_of_a_gateway_without_a_journal_fails()
    {
        Sent(1);
        var comparison = new BooksComparison(_sent);
        comparison.Row(Gateway, Series, 1, Reading(1).Hash);
        comparison.Row(GatewayId.Parse("other"), new(5, 5), 1, 1);

        Assert.False(comparison.Judge(Settled(new Totals(1, 0, 0, 0)), drained: true).Balanced);
    }

    [Fact]
    public void A_gateway_of_which_the_database_knows_nothing_fails()
    {
        Sent(1);

        Assert.False(new BooksComparison(_sent)
            .Judge(new Dictionary<GatewayId, GatewaySettlement>(), drained: true).Balanced);
    }

    [Fact]
    public void Retired_readings_were_stored_and_balance_the_missing_ones()
    {
        Sent(1, 2, 3);

        Assert.True(
            Judge(new Totals(3, 0, 0, 0), [1], s => s with { Retired = 2, HashSum = 5 }).Balanced);
    }

    [Fact]
    public void More_or_fewer_retired_than_missing_fail()
    {
        Sent(1, 2, 3);

        AssertFault(
            Judge(new Totals(3, 0, 0, 0), [1, 2], s => s with { Retired = 2 }), "rows and retired ones say 4");
        AssertFault(
            Judge(new Totals(3, 0, 0, 0), [1], s => s with { Retired = 1 }), "rows and retired ones say 2");
    }

    [Fact]
    public void Lost_readings_balance_the_missing_ones()
    {
        Sent(1, 2, 3);

        Assert.True(Judge(new Totals(1, 0, 0, 2), [1], s => s with { LostInRuns = 2 }).Balanced);
    }

    [Fact]
    public void More_lost_than_missing_fails()
    {
        Sent(1, 2, 3);

        AssertFault(
            Judge(new Totals(2, 0, 0, 2), [1, 2], s => s with { LostInRuns = 2 }), "only 1 are not stored");
    }

    [Fact]
    public void A_rejected_reading_must_be_the_missing_one()
    {
        Sent(1, 2, 3);
        var totals = new Totals(2, 1, 0, 0);

        Assert.True(Judge(totals, [1, 3], s => s with { Rejections = [new Rejection(Series, 2)] }).Balanced);
        AssertFault(
            Judge(totals, [1, 3], s => s with { Rejections = [new Rejection(Series, 3)] }),
            "rejected, but not missing");
    }

    [Fact]
    public void Dropped_readings_must_be_missing_within_the_declared_times()
    {
        Sent(1, 2, 3, 4);
        var totals = new Totals(2, 0, 2, 0);

        Assert.True(Judge(totals, [1, 4], s => s with { Drops = [new DropDeclaration(Series, 2, 2, 3)] }).Balanced);
        AssertFault(
            Judge(totals, [1, 4], s => s with { Drops = [new DropDeclaration(Series, 2, 3, 4)] }),
            "only 1 are missing there");
        AssertFault(
            Judge(totals, [1, 4], s => s with { Drops = [new DropDeclaration(new(78, 1), 2, 2, 3)] }),
            "only 0 are missing there");
    }

    [Fact]
    public void One_missing_reading_explains_one_declaration_only()
    {
        Sent(1, 2, 3);

        AssertFault(
            Judge(new Totals(1, 1, 1, 0), [1], s => s with
            {
                Rejections = [new Rejection(Series, 2)],
                Drops = [new DropDeclaration(Series, 1, 2, 2)],
            }),
            "only 0 are missing there");
    }

    [Fact]
    public void Accepted_must_be_settled_once_drained()
    {
        Sent(1, 2);
        Func<GatewaySettlement, GatewaySettlement> one = s => s with { Accepted = 3 };

        AssertFault(Judge(new Totals(2, 0, 0, 0), [1, 2], one), "accepted 3");
        Assert.True(Judge(new Totals(2, 0, 0, 0), [1, 2], one, drained: false).Balanced);
    }

    [Fact]
    public void The_registers_hash_sum_must_be_that_of_the_rows()
    {
        Sent(1);

        AssertFault(
            Judge(new Totals(1, 0, 0, 0), [1], s => s with { HashSum = Reading(1).Hash + 1 }), "hash sum");
    }

    [Fact]
    public void Many_readings_are_each_found_again()
    {
        var readings = Enumerable.Range(0, 200_000).Select(i => Reading(i)).ToArray();
        _sent.Add(Gateway, readings, acknowledged: true);

        Assert.All(readings, r => Assert.True(_sent.Store(r.Series, r.Time, r.Hash)));
        Assert.False(_sent.Store(Series, 200_000, Reading(200_000).Hash));
    }

    private static JournalEntry Reading(long time) =>
        new(Series, time, ReadingHash.Of(Series, time, 0, (ulong)time * 3, 0));

    private static void AssertFault(BooksVerdict verdict, string words)
    {
        Assert.False(verdict.Balanced);
        Assert.Contains(verdict.Gateways[0].Faults, f => f.Contains(words, StringComparison.Ordinal));
    }

    private static Dictionary<GatewayId, GatewaySettlement> Settled(
        Totals totals, Func<GatewaySettlement, GatewaySettlement>? change = null)
    {
        var settlement = new GatewaySettlement { Ledger = totals, Accepted = totals.Stored + totals.Declared };
        return new() { [Gateway] = change is null ? settlement : change(settlement) };
    }

    private void Sent(params long[] times) => _sent.Add(Gateway, Array.ConvertAll(times, Reading), acknowledged: true);

    private BooksVerdict Judge(
        Totals totals, long[] stored, Func<GatewaySettlement, GatewaySettlement>? change = null, bool drained = true)
    {
        // Rows are counted in what was sent: each verdict has its own.
        var sent = new SentReadings();
        foreach (var (gateway, series, time, counts) in _sent.All())
        {
            for (var i = 0; i < counts.Attempted; i++)
            {
                sent.Add(gateway, [Reading(time)], counts.Acknowledged > i);
            }
        }

        var comparison = new BooksComparison(sent);
        foreach (var time in stored)
        {
            comparison.Row(Gateway, Series, time, Reading(time).Hash);
        }

        return comparison.Judge(Settled(totals, change), drained);
    }
}
