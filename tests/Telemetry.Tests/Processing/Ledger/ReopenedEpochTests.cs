using Telemetry.Model.Identity;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Tests.Processing.Ledger;

/// <summary>A complete epoch that opens again: what was settled of it stays settled, after a restart too.</summary>
public sealed class ReopenedEpochTests
{
    private const ulong Epoch = 7;
    private static readonly GatewayId Gateway = GatewayId.Parse("gw");
    private static readonly SequenceRange Stored = new(1, 10), Lost = new(11, 12), Between = new(13, 15);

    private SimulatedDatabase _database = SimulatedDatabase.Empty;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_settled_is_settled_for_the_next_owner_too(bool ownerChangesBeforeItOpens)
    {
        var ledger = Complete();
        if (ownerChangesBeforeItOpens)
        {
            ledger = Load();
        }

        ledger.Announce(ledger.Epoch(Epoch)!, new LaneLasts(0, 30, 0));
        Write(ledger);
        Assert.True(Load().Epochs.TryGetValue(Epoch, out var next));

        Assert.False(next.Complete);
        Assert.Equal(Placement.Settled, next.Place(Lane.Live, Stored));
        Assert.Equal(Placement.Settled, next.Place(Lane.Live, Between));
        Assert.Equal(Placement.Lost, next.Place(Lane.Live, Lost));
        Assert.Equal(Placement.Lost, next.Place(Lane.Live, new SequenceRange(16, 20)));
        Assert.Equal(Placement.New, next.Place(Lane.Live, new SequenceRange(21, 30)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_found_in_the_transaction_that_opens_it_is_lost_no_more(bool ownerChangesBefore)
    {
        var ledger = Complete();
        if (ownerChangesBefore)
        {
            ledger = Load();
        }

        Assert.True(ledger.Epochs.TryGetValue(Epoch, out var epoch));
        ledger.Touch(epoch);
        epoch[Lane.Live].Recover(Lost, 3);
        ledger.Announce(epoch, new LaneLasts(0, 30, 0));
        Write(ledger);
        Assert.True(Load().Epochs.TryGetValue(Epoch, out var next));

        Assert.Equal(15, next[Lane.Live].Prefix);
        Assert.Equal(new SequenceRange(16, 20), Assert.Single(next[Lane.Live].Runs).Range);
        Assert.Equal(next[Lane.Live].Runs, epoch[Lane.Live].Runs);
        Assert.Equal(5, next[Lane.Live].Lost);
    }

    /// <summary>An epoch that ends with a lost run, complete in the database.</summary>
    private GatewayLedger Complete()
    {
        var ledger = Load();
        var epoch = ledger.Epoch(Epoch)!;
        ledger.Name(epoch, new LaneLasts(0, 20, 0));
        epoch[Lane.Live].Settle(Stored, 1);
        epoch[Lane.Live].Settle(Between, 2);
        epoch[Lane.Live].BookLost(new SequenceRange(1, 20));
        Write(ledger);
        ledger.Touch(epoch);
        Assert.Single(ledger.CloseEpochs());
        Write(ledger);
        return ledger;
    }

    private GatewayLedger Load() => new(_database.Record(Gateway), 0);

    private void Write(GatewayLedger ledger)
    {
        var commit = new StoreCommit();
        ledger.WriteChanges(commit);
        _database = _database.With(commit, DateTimeOffset.UnixEpoch)!;
    }
}
