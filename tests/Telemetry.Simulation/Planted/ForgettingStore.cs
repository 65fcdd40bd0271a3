using Telemetry.Cloud.Storage;
using Telemetry.Model.Control;
using Telemetry.Testing.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an epoch that opens again forgets in the database what was settled of it.</summary>
internal sealed class ForgettingStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var reopened = commit.Epochs
            .Where(e => !e.Complete
                && Inner.Content.Epochs.GetValueOrDefault((e.Gateway, e.Epoch)) is { Complete: true })
            .Select(e => (e.Gateway, e.Epoch)).ToHashSet();
        commit.Lanes.RemoveAll(l => reopened.Contains((l.Gateway, l.Epoch)));
        commit.Runs.RemoveAll(
            r => r.Run.State == RunState.Settled && reopened.Contains((r.Gateway, r.Epoch)));
        return Inner.CommitAsync(commit, cancellationToken);
    }
}
