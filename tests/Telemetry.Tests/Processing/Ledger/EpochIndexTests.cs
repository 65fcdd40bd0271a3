using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Ledger;

/// <summary>A gateway that names many epochs costs no more for each, and fills no database.</summary>
public sealed class EpochIndexTests
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    [Fact]
    public void Epochs_of_which_no_frame_comes_are_kept_up_to_the_limit_and_the_rest_is_a_fork()
    {
        var gateway = Empty();
        Name(gateway, 1, EpochIndex.NamedMax);
        Assert.Equal("", gateway.Fork);

        Name(gateway, 1_000_000, 10);

        Assert.Equal(EpochIndex.NamedMax, gateway.Epochs.Count);
        Assert.StartsWith("epochs: more than ", gateway.Fork, StringComparison.Ordinal);
        var commit = new StoreCommit();
        gateway.WriteChanges(commit);
        Assert.Equal(EpochIndex.NamedMax, commit.Epochs.Count);
    }

    [Fact]
    public void Frames_of_new_epochs_are_taken_though_the_gateway_named_too_many()
    {
        var gateway = Empty();
        Name(gateway, 1, EpochIndex.NamedMax);

        var epoch = gateway.Epoch(77_777, hasFrame: true);

        Assert.NotNull(epoch);
        epoch[Lane.Live].Settle(new SequenceRange(1, 1), 1);
        gateway.Proven(epoch);
        Assert.Equal(EpochIndex.NamedMax, gateway.Epochs.Named);
    }

    [Fact]
    public void Frame_of_an_epoch_makes_room_for_another_word()
    {
        var gateway = Empty();
        Name(gateway, 1, EpochIndex.NamedMax);

        gateway.Proven(gateway.Epoch(5)!);

        Assert.NotNull(gateway.Epoch(1_000_000));
    }

    [Fact]
    public void What_is_named_or_lost_whole_counts_as_a_word_after_a_restart_too()
    {
        var none = new Predecessor(0, default);
        var gateway = new GatewayLedger(
            new GatewayRecord(
                null, Gateway,
                [
                    new(Gateway, 1, none, false, new LaneLasts(0, 5, 0)),
                    new(Gateway, 2, none, false, new LaneLasts(0, 5, 0)),
                    new(Gateway, 3, none, false, new LaneLasts(0, 5, 0)),
                    new(Gateway, 4, none, true, new LaneLasts(0, 5, 0)),
                    new(Gateway, 5, none, true, new LaneLasts(0, 5, 0)),
                ],
                [new(Gateway, 1, Lane.Live, 3, 9)],
                [
                    new(Gateway, 2, Lane.Live, new(new(2, 3), RunState.Settled, 1)),
                    new(Gateway, 3, Lane.Live, new(new(1, 5), RunState.Lost, 0)),
                    new(Gateway, 4, Lane.Live, new(new(1, 5), RunState.Lost, 0)),
                    new(Gateway, 5, Lane.Live, new(new(1, 4), RunState.Lost, 0)),
                ],
                [], []),
            0);

        Assert.Equal(2, gateway.Epochs.Named);
    }

    [Fact]
    public void Epoch_that_is_named_with_its_predecessor_costs_no_look_at_the_others()
    {
        var gateway = Empty();
        for (var id = 2UL; id <= 2_000; id++)
        {
            var epoch = gateway.Epoch(id)!;
            gateway.Follow(epoch, new Predecessor(id - 1, new LaneLasts(0, 1, 0)));
            gateway.Follow(epoch, new Predecessor(0, default));
            gateway.Announce(epoch, new LaneLasts(0, 1, 0));
            epoch[Lane.Live].Settle(new SequenceRange(1, 1), id);
            gateway.Proven(epoch);
            gateway.CheckNamed(epoch, Lane.Live, 1);
        }

        Assert.Equal(0, gateway.Epochs.Visited);
    }

    [Fact]
    public void Epoch_that_is_named_before_its_predecessor_closes_it_all_the_same()
    {
        var gateway = Empty();
        gateway.Follow(gateway.Epoch(2)!, new Predecessor(1, new LaneLasts(0, 3, 0)));
        gateway.Epoch(1)![Lane.Live].Settle(new SequenceRange(1, 3), 1);

        Assert.Equal([1UL], gateway.CloseEpochs().Select(e => e.Epoch));
        Assert.Equal(CompleteEpochs.Digest([new(1, new LaneLasts(0, 3, 0))]), gateway.Digest);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Two_epochs_with_one_predecessor_are_a_fork_and_one_that_says_it_twice_is_none(ulong predecessor)
    {
        var gateway = Empty();
        gateway.Follow(gateway.Epoch(2)!, new Predecessor(predecessor, default));
        gateway.Follow(gateway.Epoch(2)!, new Predecessor(predecessor, default));
        Assert.Equal("", gateway.Fork);

        gateway.Follow(gateway.Epoch(3)!, new Predecessor(predecessor, default));

        Assert.StartsWith("lineage: epochs ", gateway.Fork, StringComparison.Ordinal);
    }

    [Fact]
    public void Ring_of_predecessors_has_no_outbox_and_an_end()
    {
        var gateway = Empty();
        gateway.Follow(gateway.Epoch(2)!, new Predecessor(3, default));
        gateway.Follow(gateway.Epoch(3)!, new Predecessor(2, default));

        Assert.Null(gateway.OutboxOf(gateway.Epoch(2)!, []));
    }

    [Fact]
    public void Outbox_of_a_whole_chain_is_found_step_by_step_once()
    {
        var gateway = Empty();
        for (var id = 2UL; id <= 4000; id++)
        {
            gateway.Follow(gateway.Epoch(id)!, new Predecessor(id - 1, default));
        }

        gateway.Epoch(1)!.BelongTo(9);
        var found = new Dictionary<ulong, ulong?>();

        for (var id = 4000UL; id >= 1; id--)
        {
            Assert.Equal(9UL, gateway.OutboxOf(gateway.Epoch(id)!, found));
        }

        Assert.Equal(4000, found.Count);
    }

    private static GatewayLedger Empty() => new(new GatewayRecord(null, Gateway, [], [], [], [], []), 0);

    private static void Name(GatewayLedger gateway, ulong first, int count)
    {
        for (var i = 0UL; i < (ulong)count; i++)
        {
            gateway.Announce(new EpochLasts(first + i, new LaneLasts(0, 1, 0)));
        }
    }
}
