using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>Which epochs a hello proves to be orphaned, and when it may be older than they are.</summary>
public sealed class OrphanedEpochsTests
{
    private const ulong Card = 1, First = 10, Second = 11, Own = 12;
    private const uint Process = 1, OtherProcess = 7;

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly TimeSpan Long = OrphanedEpochs.ProvenAfter;
    private static readonly TimeSpan Short = Long - TimeSpan.FromTicks(1);

    // Found by the simulation: a hello of an ended process came late, after the agent's clock had been set back.
    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue / 20)]
    public void One_hello_may_be_older_than_the_epoch_whatever_its_clock_says(long clockMicros)
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(1) with { ClockMicros = clockMicros }, Listening(Long)));
    }

    // Found by the simulation: the clock of the vanished copy had been ahead, so no hello ever seemed later.
    [Fact]
    public void Second_hello_long_after_proves_it_whatever_its_clock_says()
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        OrphanedEpochs.Of(gateway, Hello(1) with { ClockMicros = 0 }, Listening(TimeSpan.Zero));

        Assert.Equal([First], OrphanedEpochs.Of(gateway, Hello(3) with { ClockMicros = 0 }, Listening(Long)));
    }

    [Fact]
    public void Second_hello_soon_after_proves_nothing()
    {
        var gateway = Ledger((First, 0));

        OrphanedEpochs.Of(gateway, Hello(1), Listening(TimeSpan.Zero));

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2), Listening(Short)));
        Assert.Equal([First], OrphanedEpochs.Of(gateway, Hello(3), Listening(Long)));
    }

    [Fact]
    public void Second_hello_proves_nothing_when_the_owner_did_not_listen_all_the_time_since_the_first()
    {
        var gateway = Ledger((First, 0));
        OrphanedEpochs.Of(gateway, Hello(1), Listening(TimeSpan.Zero));

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2), new ListeningPeriod(TimeSpan.FromTicks(1), Long)));
        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(3), Listening(Long + Short)));
        Assert.Equal([First], OrphanedEpochs.Of(gateway, Hello(4), Listening(Long + Long)));
    }

    [Fact]
    public void The_same_hello_again_proves_nothing()
    {
        var gateway = Ledger((First, 0));

        OrphanedEpochs.Of(gateway, Hello(2), Listening(TimeSpan.Zero));

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2), Listening(Long)));
        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(1), Listening(Long)));
    }

    [Fact]
    public void Hello_of_another_process_begins_anew()
    {
        var gateway = Ledger((First, 0));

        OrphanedEpochs.Of(gateway, Hello(1), Listening(TimeSpan.Zero));

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2) with { Id = new HelloId(OtherProcess, 2) }, Listening(Long)));
    }

    [Fact]
    public void Word_of_the_epoch_in_between_begins_anew()
    {
        var gateway = Ledger((First, 0));

        OrphanedEpochs.Of(gateway, Hello(1), Listening(TimeSpan.Zero));
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2), Listening(Long)));
    }

    [Fact]
    public void Epoch_of_which_the_same_process_sent_frames_is_its_own()
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(Process);

        OrphanedEpochs.Of(gateway, Hello(1, (Own, 0)), Listening(TimeSpan.Zero));

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(2, (Own, 0)), Listening(Long)));
    }

    // Found by the simulation: a hello of a clone that was removed came late.
    [Fact]
    public void One_hello_may_be_of_the_vanished_copy_itself_whatever_epochs_it_names()
    {
        var gateway = Ledger((First, 0), (Second, First));
        gateway.Epoch(Second)!.HeardOf(OtherProcess);

        Assert.Empty(OrphanedEpochs.Of(gateway, Hello(1, (Own, First)), Listening(Long)));
    }

    // The owner has listened since before all hellos.
    private static ListeningPeriod Listening(TimeSpan now) => new(TimeSpan.MinValue, now);

    private static GatewayLedger Ledger(params (ulong Epoch, ulong Follows)[] epochs) => new(
        new GatewayRecord(
            null, Gateway,
            [
                .. epochs.Select(e => new EpochLedgerRow(
                    Gateway, e.Epoch, e.Follows == Predecessor.Unknown ? null : new Predecessor(e.Follows, default),
                    false, new LaneLasts(0, 4, 0), Card)),
            ],
            [], [], [new OutboxRow(Gateway, Card, 9)], []),
        0);

    private static Hello Hello(long number, params (ulong Epoch, ulong Follows)[] named) => new()
    {
        Id = new HelloId(Process, number),
        Full = true,
        Outbox = Card,
        Accepted = 9,
        Epochs =
        [
            .. named.Select(e => new HelloEpoch(
                e.Epoch, new Predecessor(e.Follows, default), [HelloLane.Empty, HelloLane.Empty, HelloLane.Empty])),
        ],
    };
}
