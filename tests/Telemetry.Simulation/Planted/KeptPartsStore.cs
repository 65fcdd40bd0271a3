using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: the parts of open windows that a new owner folds anew are not removed before.</summary>
internal sealed class KeptPartsStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        commit.RemovedParts.Clear();
        return Inner.CommitAsync(commit, cancellationToken);
    }
}
