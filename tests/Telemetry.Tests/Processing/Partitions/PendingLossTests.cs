using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>What a hello shows to be lost of epochs that it does not name.</summary>
public sealed class PendingLossTests
{
    private const ulong Card = 1, OtherCard = 2, OldEpoch = 10, Successor = 11;
    private const uint Process = 1, OtherProcess = 7;
    private const long PutBackLast = 2;

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly Predecessor None = new(0, default);

    // Found by the simulation: the copy that was put back was older than the first epoch, so nothing linked both lives.
    [Fact]
    public void Epoch_of_this_outbox_that_its_agent_does_not_name_is_lost()
    {
        var gateway = Ledger([Card], Row(Card));

        Assert.Equal(4, Lost(gateway));
    }

    [Fact]
    public void Epoch_of_another_outbox_is_not_lost() =>
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Row(OtherCard))));

    [Fact]
    public void Epoch_of_an_unknown_outbox_is_lost_only_where_there_was_no_other()
    {
        Assert.Equal(4, Lost(Ledger([Card], Row(outbox: null))));
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Row(outbox: null))));
    }

    [Fact]
    public void Epoch_is_of_its_predecessors_outbox()
    {
        var follows = new EpochLedgerRow(
            Gateway, Successor, new Predecessor(OldEpoch, default), false, new LaneLasts(0, 3, 0));

        Assert.Equal(4 + 3, Lost(Ledger([Card, OtherCard], Row(Card), follows)));
        Assert.Equal(0, Lost(Ledger([Card, OtherCard], Row(OtherCard), follows)));
    }

    [Fact]
    public void Nothing_unnamed_is_lost_while_the_agent_has_more_epochs_than_it_can_name()
    {
        var many = Enumerable.Range(0, Hello.EpochsMax)
            .Select(i => new HelloEpoch(100 + (ulong)i, None, [HelloLane.Empty, HelloLane.Empty, HelloLane.Empty]));

        Assert.Equal(0, Lost(Ledger([Card], Row(Card)), [.. many]));
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
        var gateway = Ledger([Card], Row(Card));
        gateway.Epoch(OldEpoch)!.HeardOf(OtherProcess);

        Assert.Equal(0, LostBy(gateway, PutBack(1), TimeSpan.Zero));
        gateway.Epoch(OldEpoch)!.HeardOf(OtherProcess);
        Assert.Equal(0, LostBy(gateway, PutBack(2), OrphanedEpochs.ProvenAfter));
    }

    [Fact]
    public void Sequences_that_a_put_back_outbox_does_not_know_are_lost_when_nobody_names_them_for_long()
    {
        var gateway = Ledger([Card], Row(Card));

        Assert.Equal(0, LostBy(gateway, PutBack(1), TimeSpan.Zero));
        Assert.Equal(0, LostBy(gateway, PutBack(2), OrphanedEpochs.ProvenAfter - TimeSpan.FromTicks(1)));
        Assert.Equal(4 - PutBackLast, LostBy(gateway, PutBack(3), OrphanedEpochs.ProvenAfter));
    }

    // A frame that was in the log before the second hello shows that the other copy may still exist.
    [Fact]
    public void Epoch_that_is_heard_of_before_the_loss_is_booked_is_not_lost()
    {
        var gateway = Ledger([Card], Row(Card));
        OrphanedEpochs.Of(gateway, Said() with { Id = new HelloId(Process, 1) }, Listening(TimeSpan.Zero));
        var hello = Said();
        var loss = new PendingLoss(hello, default, default)
        {
            Orphaned = OrphanedEpochs.Of(gateway, hello, Listening(OrphanedEpochs.ProvenAfter)),
        };
        Assert.Equal([OldEpoch], loss.Orphaned);

        gateway.Epoch(OldEpoch)!.HeardOf(OtherProcess);
        loss.Book(gateway);

        Assert.Equal(0, gateway.Lost);
    }

    // Both copies send frames of the epoch: the newest is not always the other's.
    [Fact]
    public void Sequences_of_an_epoch_that_another_copy_is_heard_of_before_the_loss_is_booked_are_not_lost()
    {
        var gateway = Ledger([Card], Row(Card));
        OrphanedEpochs.TailsOf(gateway, PutBack(1), Listening(TimeSpan.Zero));
        var loss = new PendingLoss(PutBack(2), default, default)
        {
            OrphanedTails = OrphanedEpochs.TailsOf(gateway, PutBack(2), Listening(OrphanedEpochs.ProvenAfter)),
        };
        Assert.Equal([OldEpoch], loss.OrphanedTails);

        gateway.Epoch(OldEpoch)!.HeardOf(OtherProcess);
        gateway.Epoch(OldEpoch)!.HeardOf(Process);
        loss.Book(gateway);

        Assert.Equal(0, gateway.Lost);
    }

    // Found by random schedules: the transaction that learnt of the epoch failed, and the next one booked the loss in
    // memory that was loaded again. Its row was not written, so the next owner took the found frame for a new one.
    [Fact]
    public void Loss_in_an_epoch_that_the_memory_does_not_know_is_a_loss_for_the_next_owner_too()
    {
        var gateway = Ledger([Card]);
        var (none, live) = (new HelloLane(0, 0, []), new HelloLane(4, 4, []));
        var hello = Said(new HelloEpoch(OldEpoch, new Predecessor(Predecessor.Unknown, default), [none, live, none]));
        var commit = new StoreCommit();

        new PendingLoss(hello, default, default).Book(gateway);
        gateway.WriteChanges(commit);

        var next = new GatewayLedger(SimulatedDatabase.Empty.With(commit, default)!.Record(Gateway), 0);
        Assert.Equal(4, next.Lost);
        Assert.True(next.Epochs.TryGetValue(OldEpoch, out var epoch));
        Assert.Equal(new LaneLasts(0, 4, 0), epoch.Lasts);
        Assert.Equal(Placement.Lost, epoch.Place(Lane.Live, new SequenceRange(1, 4)));
    }

    // The owner has listened since before all hellos.
    private static ListeningPeriod Listening(TimeSpan now) => new(TimeSpan.MinValue, now);

    private static long LostBy(GatewayLedger gateway, Hello hello, TimeSpan at)
    {
        var loss = new PendingLoss(hello, default, default)
        {
            OrphanedTails = OrphanedEpochs.TailsOf(gateway, hello, Listening(at)),
        };
        gateway.Epoch(OldEpoch)!.HeardOf(Process);
        loss.Book(gateway);
        return gateway.Lost;
    }

    // It holds the first sequences of the live lane; the copy before it had announced four.
    private static Hello PutBack(long count)
    {
        var live = new HelloLane(PutBackLast, PutBackLast, [new SequenceRange(1, PutBackLast)]);
        var none = new HelloLane(0, 0, []);
        return Said(new HelloEpoch(OldEpoch, new Predecessor(Predecessor.Unknown, default), [none, live, none])) with
        {
            Id = new HelloId(Process, count),
            Fork = "the outbox was put back",
        };
    }

    private static EpochLedgerRow Row(ulong? outbox) =>
        new(Gateway, OldEpoch, None, false, new LaneLasts(0, 4, 0), outbox);

    private static GatewayLedger Ledger(ulong[] outboxes, params EpochLedgerRow[] epochs) => new(
        new GatewayRecord(null, Gateway, epochs, [], [], [.. outboxes.Select(o => new OutboxRow(Gateway, o, 9))], []),
        0);

    private static long Lost(GatewayLedger gateway, params HelloEpoch[] named)
    {
        var earlier = Said(named) with { Id = new HelloId(Process, 1) };
        OrphanedEpochs.Of(gateway, earlier, Listening(TimeSpan.Zero));
        var hello = Said(named);
        new PendingLoss(hello, default, default)
        {
            Orphaned = OrphanedEpochs.Of(gateway, hello, Listening(OrphanedEpochs.ProvenAfter)),
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
