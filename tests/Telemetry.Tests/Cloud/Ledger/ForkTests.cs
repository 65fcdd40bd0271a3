using Telemetry.Cloud.Ledger;
using Telemetry.Cloud.Storage;
using Telemetry.Model;

namespace Telemetry.Tests.Cloud.Ledger;

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

    private static GatewayLedger Ledger(string resolved) => new(
        new GatewayRecord(
            GatewayRow.New(Gateway, 0) with { ForkResolved = resolved }, Gateway, [], [], [], [], []), 0);
}
