using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: parts of windows are written in a transaction of their own, before the one that has the readings.
/// </summary>
internal sealed class PartsFirstStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var isOwner = commit.Partitions.TrueForAll(
            step => Inner.Content.Partitions.GetValueOrDefault(step.Expected.Partition)?.Row == step.Expected);
        var copy = commit.Copy();
        var parts = new StoreCommit();
        parts.Parts.AddRange(copy.Parts.Where(p => p.Series.Number > 0));
        if (isOwner && parts.Parts.Count == copy.Parts.Count
            && Inner.Content.With(parts, Inner.Calls.Time.GetUtcNow()) is { } moved)
        {
            Inner.Content = moved;
            commit.Parts.Clear();
            commit.Revisions.Clear();
        }

        return Inner.CommitAsync(commit, cancellationToken);
    }
}
