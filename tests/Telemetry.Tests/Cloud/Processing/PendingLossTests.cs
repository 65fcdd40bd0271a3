using Telemetry.Cloud.Ledger;
using Telemetry.Cloud.Processing;
using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Control;
using Telemetry.Model.Frames;

namespace Telemetry.Tests.Cloud.Processing;

/// <summary>What a hello shows to be lost of epochs that it does not name.</summary>
public sealed class PendingLossTests
{
    private const ulong Card = 1, OtherCard = 2, DeadEpoch = 10, Successor = 11;
    private const uint Process = 1;
    private const long HelloAt = 1000;

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

    [Theory]
    [InlineData(HelloAt - 1, 4)]
    [InlineData(HelloAt, 0)]
    public void Epoch_begun_since_the_hello_was_said_is_not_lost(long sentAt, long lost)
    {
        var gateway = Ledger([Card], Dead(Card));
        gateway.Epoch(DeadEpoch)!.HeardOf(sentAt, process: 7);

        Assert.Equal(lost, Lost(gateway));
    }

    [Fact]
    public void Epoch_of_which_the_same_process_sent_frames_is_not_lost_whatever_its_clock_says()
    {
        var gateway = Ledger([Card], Dead(Card));
        gateway.Epoch(DeadEpoch)!.HeardOf(HelloAt - 1, Process);

        Assert.Equal(0, Lost(gateway));
    }

    [Fact]
    public void Epoch_begun_since_is_not_lost_though_the_owner_forgot_when_its_frames_were_sent()
    {
        var gateway = Ledger([Card], Dead(Card));
        gateway.Epoch(DeadEpoch)!.HeardOf(HelloAt, process: 7);
        var dead = PendingLoss.DeadLivesOf(gateway, Said());
        var loadedAnew = Ledger([Card], Dead(Card));

        new PendingLoss(Said(), default, default, dead).Book(loadedAnew);

        Assert.Equal(0, loadedAnew.Lost);
    }

    [Fact]
    public void One_hello_alone_may_be_older_than_an_epoch_of_which_the_owner_has_heard_nothing() =>
        Assert.Equal(0, LostBy(Ledger([Card], Dead(Card)), Said()));

    [Fact]
    public void Nothing_unnamed_is_lost_while_the_agent_has_more_epochs_than_it_can_name()
    {
        var many = Enumerable.Range(0, Hello.EpochsMax)
            .Select(i => new HelloEpoch(100 + (ulong)i, None, [HelloLane.Empty, HelloLane.Empty, HelloLane.Empty]));

        Assert.Equal(0, Lost(Ledger([Card], Dead(Card)), [.. many]));
    }

    private static EpochLedgerRow Dead(ulong? outbox) =>
        new(Gateway, DeadEpoch, None, false, new LaneLasts(0, 4, 0), outbox);

    private static GatewayLedger Ledger(ulong[] outboxes, params EpochLedgerRow[] epochs) => new(
        new GatewayRecord(null, Gateway, epochs, [], [], [.. outboxes.Select(o => new OutboxRow(Gateway, o, 9))], []),
        0);

    private static long Lost(GatewayLedger gateway, params HelloEpoch[] named)
    {
        var earlier = Said(named) with { Id = new HelloId(Process, 1) };
        PendingLoss.DeadLivesOf(gateway, earlier);
        return LostBy(gateway, Said(named));
    }

    private static long LostBy(GatewayLedger gateway, Hello hello)
    {
        new PendingLoss(hello, default, default, PendingLoss.DeadLivesOf(gateway, hello)).Book(gateway);
        return gateway.Lost;
    }

    private static Hello Said(params HelloEpoch[] named) => new()
    {
        Id = new HelloId(Process, 2),
        Full = true,
        Outbox = Card,
        Accepted = 9,
        ClockMicros = HelloAt,
        Epochs = named,
    };
}
