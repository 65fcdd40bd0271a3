using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Hellos;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>Which epochs a hello proves to be of past lives, and when it may be older than they are.</summary>
public sealed class DeadLivesTests
{
    private const ulong Card = 1, First = 10, Second = 11, Own = 12;
    private const uint Process = 1, OtherProcess = 7;

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly TimeSpan Long = DeadLives.ProvenAfter;
    private static readonly TimeSpan Short = Long - TimeSpan.FromTicks(1);

    // Found by the simulation: a hello of a dead process came late, after the agent's clock had been set back.
    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue / 20)]
    public void One_hello_may_be_older_than_the_epoch_whatever_its_clock_says(long clockMicros)
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        Assert.Empty(DeadLives.Of(gateway, Hello(1) with { ClockMicros = clockMicros }, Long));
    }

    // Found by the simulation: the clock of the life that is past had been ahead, so no hello ever seemed later.
    [Fact]
    public void Second_hello_long_after_proves_it_whatever_its_clock_says()
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        DeadLives.Of(gateway, Hello(1) with { ClockMicros = 0 }, TimeSpan.Zero);

        Assert.Equal([First], DeadLives.Of(gateway, Hello(3) with { ClockMicros = 0 }, Long));
    }

    [Fact]
    public void Second_hello_soon_after_proves_nothing()
    {
        var gateway = Ledger((First, 0));

        DeadLives.Of(gateway, Hello(1), TimeSpan.Zero);

        Assert.Empty(DeadLives.Of(gateway, Hello(2), Short));
        Assert.Equal([First], DeadLives.Of(gateway, Hello(3), Long));
    }

    [Fact]
    public void The_same_hello_again_proves_nothing()
    {
        var gateway = Ledger((First, 0));

        DeadLives.Of(gateway, Hello(2), TimeSpan.Zero);

        Assert.Empty(DeadLives.Of(gateway, Hello(2), Long));
        Assert.Empty(DeadLives.Of(gateway, Hello(1), Long));
    }

    [Fact]
    public void Hello_of_another_process_begins_anew()
    {
        var gateway = Ledger((First, 0));

        DeadLives.Of(gateway, Hello(1), TimeSpan.Zero);

        Assert.Empty(DeadLives.Of(gateway, Hello(2) with { Id = new HelloId(OtherProcess, 2) }, Long));
    }

    [Fact]
    public void Word_of_the_epoch_in_between_begins_anew()
    {
        var gateway = Ledger((First, 0));

        DeadLives.Of(gateway, Hello(1), TimeSpan.Zero);
        gateway.Epoch(First)!.HeardOf(OtherProcess);

        Assert.Empty(DeadLives.Of(gateway, Hello(2), Long));
    }

    [Fact]
    public void Epoch_of_which_the_same_process_sent_frames_is_its_own()
    {
        var gateway = Ledger((First, 0));
        gateway.Epoch(First)!.HeardOf(Process);

        DeadLives.Of(gateway, Hello(1, (Own, 0)), TimeSpan.Zero);

        Assert.Empty(DeadLives.Of(gateway, Hello(2, (Own, 0)), Long));
    }

    // Found by the simulation: a hello of a clone that was no more came late.
    [Fact]
    public void One_hello_may_be_of_a_past_life_itself_whatever_epochs_it_names()
    {
        var gateway = Ledger((First, 0), (Second, First));
        gateway.Epoch(Second)!.HeardOf(OtherProcess);

        Assert.Empty(DeadLives.Of(gateway, Hello(1, (Own, First)), Long));
    }

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
