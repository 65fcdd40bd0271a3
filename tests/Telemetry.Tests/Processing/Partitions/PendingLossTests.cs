using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>What a hello shows to be lost of epochs that it does not name.</summary>
public sealed class PendingLossTests
{
    private const ulong Card = 1, OtherCard = 2, DeadEpoch = 10, Successor = 11;
    private const uint Process = 1, OtherProcess = 7;
    private const long PutBackLast = 2;

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly Predecessor None = new(0, default);

    // Found by the simulation: the copy that was put back was older than the first epoch, so nothing linked both lives.
    [Fact]
    public void Epoch_of_this_outbox_that_its_agent_does_not_name_is_lost()
    {
        var gateway = Ledger([Card], Dead(Card));

        Assert.Equal(4, Lost(gateway));
    }

    [Fact]
    public void Epoch_of_another_outbox_is_not_lost() =>
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Dead(OtherCard))));

    [Fact]
    public void Epoch_of_an_unknown_outbox_is_lost_only_where_there_was_no_other()
    {
        Assert.Equal(4, Lost(Ledger([Card], Dead(outbox: null))));
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Dead(outbox: null))));
    }

    [Fact]
    public void Epoch_is_of_its_predecessors_outbox()
    {
        var follows = new EpochLedgerRow(
            Gateway, Successor, new Predecessor(DeadEpoch, default), false, new LaneLasts(0, 3, 0));

        Assert.Equal(4 + 3, Lost(Ledger([Card, OtherCard], Dead(Card), follows)));
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Dead(OtherCard), follows)));
    }

    [Fact]
    public void Nothing_unnamed_is_lost_while_the_agent_has_more_epochs_than_it_can_name()
    {
        var many = Enumerable.Range(0, Hello.EpochsMax)
            .Select(i => new HelloEpoch(100 + (ulong)i, None, [HelloLane.Empty, HelloLane.Empty, HelloLane.Empty]));

        Assert.Equal(0, Lost(Ledger([Card], Dead(Card)), [.. many]));
    }

    [Theory]
    [InlineData(10, 5, 1, true)]
    [InlineData(12, 7, 1, true)]
    [InlineData(9, 5, 1, false)]
    [InlineData(10, 4, 1, false)]
    [InlineData(10, 5, 2, false)]
    public void Loss_waits_until_the_position_has_passed_both_streams_as_they_ended(
        long live, long backlog, long created, bool due)
    {
        var loss = new PendingLoss(Said(), new StreamState(1, 1, 10), new StreamState(created, 1, 5));

        Assert.Equal(due, loss.Due(new StreamPosition(1, live, "", 0), new StreamPosition(1, backlog, "", 0)));
    }

    // Found by the simulation: beside a clone the other copy went on, and what it held was booked as lost.
    [Fact]
    public void Sequences_that_a_put_back_outbox_does_not_know_may_be_held_by_another_copy()
    {
        var gateway = Ledger([Card], Dead(Card));
        gateway.Epoch(DeadEpoch)!.HeardOf(OtherProcess);

        Assert.Equal(0, LostBy(gateway, PutBack(1), TimeSpan.Zero));
        gateway.Epoch(DeadEpoch)!.HeardOf(OtherProcess);
        Assert.Equal(0, LostBy(gateway, PutBack(2), DeadLives.ProvenAfter));
    }

    [Fact]
    public void Sequences_that_a_put_back_outbox_does_not_know_are_lost_when_nobody_names_them_for_long()
    {
        var gateway = Ledger([Card], Dead(Card));

        Assert.Equal(0, LostBy(gateway, PutBack(1), TimeSpan.Zero));
        Assert.Equal(0, LostBy(gateway, PutBack(2), DeadLives.ProvenAfter - TimeSpan.FromTicks(1)));
        Assert.Equal(4 - PutBackLast, LostBy(gateway, PutBack(3), DeadLives.ProvenAfter));
    }

    private static long LostBy(GatewayLedger gateway, Hello hello, TimeSpan at)
    {
        var loss = new PendingLoss(hello, default, default) { Outrun = DeadLives.OutrunOf(gateway, hello, at) };
        gateway.Epoch(DeadEpoch)!.HeardOf(Process);
        loss.Book(gateway);
        return gateway.Lost;
    }

    // It holds the first sequences of the live lane; the copy before it had announced four.
    private static Hello PutBack(long count)
    {
        var live = new HelloLane(PutBackLast, PutBackLast, [new SequenceRange(1, PutBackLast)]);
        var none = new HelloLane(0, 0, []);
        return Said(new HelloEpoch(DeadEpoch, new Predecessor(Predecessor.Unknown, default), [none, live, none])) with
        {
            Id = new HelloId(Process, count),
            Fork = "the outbox was put back",
        };
    }

    private static EpochLedgerRow Dead(ulong? outbox) =>
        new(Gateway, DeadEpoch, None, false, new LaneLasts(0, 4, 0), outbox);

    private static GatewayLedger Ledger(ulong[] outboxes, params EpochLedgerRow[] epochs) => new(
        new GatewayRecord(null, Gateway, epochs, [], [], [.. outboxes.Select(o => new OutboxRow(Gateway, o, 9))], []),
        0);

    private static long Lost(GatewayLedger gateway, params HelloEpoch[] named)
    {
        var earlier = Said(named) with { Id = new HelloId(Process, 1) };
        DeadLives.Of(gateway, earlier, TimeSpan.Zero);
        var hello = Said(named);
        new PendingLoss(hello, default, default)
        {
            Dead = DeadLives.Of(gateway, hello, DeadLives.ProvenAfter),
        }.Book(gateway);
        return gateway.Lost;
    }

    private static Hello Said(params HelloEpoch[] named) => new()
    {
        Id = new HelloId(Process, 2),
        Full = true,
        Outbox = Card,
        Accepted = 9,
        ClockMicros = 1000,
        Epochs = named,
    };
}
