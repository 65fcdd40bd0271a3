using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: the ledger is extended in a transaction of its own, before the one that stores the readings.
/// </summary>
internal sealed class LedgerFirstStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var isOwner = commit.Partitions.TrueForAll(
            step => Inner.Content.Partitions.GetValueOrDefault(step.Expected.Partition)?.Row == step.Expected);
        var ledger = new StoreCommit();
        ledger.Epochs.AddRange(commit.Epochs);
        ledger.Lanes.AddRange(commit.Lanes);
        ledger.RemovedRuns.AddRange(commit.RemovedRuns);
        ledger.Runs.AddRange(commit.Runs);
        if (isOwner && Inner.Content.With(ledger, Inner.Calls.Time.GetUtcNow()) is { } extended)
        {
            Inner.Content = extended;
        }

        return Inner.CommitAsync(commit, cancellationToken);
    }
}
