using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: where alert rules stand is written in a transaction of its own, before the one that has the readings
/// and the transitions that follow from them.
/// </summary>
internal sealed class AlertStatesFirstStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var isOwner = commit.Partitions.TrueForAll(
            step => Inner.Content.Partitions.GetValueOrDefault(step.Expected.Partition)?.Row == step.Expected);
        var states = new StoreCommit();
        states.AlertStates.AddRange(commit.AlertStates);
        if (isOwner && Inner.Content.With(states, Inner.Calls.Time.GetUtcNow()) is { } moved)
        {
            Inner.Content = moved;
        }

        return Inner.CommitAsync(commit, cancellationToken);
    }
}
