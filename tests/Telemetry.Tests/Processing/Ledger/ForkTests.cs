using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Ledger;

/// <summary>What is shown of forks, and what an operator's word ends.</summary>
public sealed class ForkTests
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    [Fact]
    public void Forks_are_shown_one_a_line_each_once_and_four_at_most()
    {
        var gateway = Ledger("");
        foreach (var what in (string[])["a", "b\nc", "a", "d", "e", "f"])
        {
            gateway.ShowFork(what);
        }

        Assert.Equal("a\nb c\nd\ne", gateway.Fork);
    }

    [Fact]
    public void Fork_that_was_resolved_is_not_shown_again_and_a_new_one_is()
    {
        var gateway = Ledger("a\nb\n");

        gateway.ShowFork("a");
        Assert.Equal("", gateway.Fork);
        gateway.ShowFork("c");

        Assert.Equal("c", gateway.Fork);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_ends_of_one_epoch_are_a_fork_whoever_says_them_first(bool agentFirst)
    {
        var gateway = Ledger("");
        var epoch = gateway.Epoch(7)!;
        void Agent() => gateway.Name(epoch, new LaneLasts(6, 151, 11));
        void Successor() => gateway.Follow(gateway.Epoch(8)!, new Predecessor(7, new LaneLasts(6, 135, 11)));

        (agentFirst ? (Action)Agent : Successor)();
        Assert.Equal("", gateway.Fork);
        (agentFirst ? (Action)Successor : Agent)();

        Assert.Equal(
            "lineage: live of epoch 0000000000000007 ends at 135 for one of two lives and at 151 for the other",
            gateway.Fork);
    }

    [Fact]
    public void One_end_of_an_epoch_that_is_said_twice_is_no_fork()
    {
        var gateway = Ledger("");
        gateway.Name(gateway.Epoch(7)!, new LaneLasts(6, 151, 11));

        gateway.Follow(gateway.Epoch(8)!, new Predecessor(7, new LaneLasts(6, 151, 11)));

        Assert.Equal("", gateway.Fork);
    }

    private static GatewayLedger Ledger(string resolved) => new(
        new GatewayRecord(
            GatewayRow.New(Gateway, 0) with { ForkResolved = resolved }, Gateway, [], [], [], [], []), 0);
}
