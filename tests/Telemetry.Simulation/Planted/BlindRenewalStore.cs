using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an idle owner renews its lease without comparing its row with what it remembers.</summary>
internal sealed class BlindRenewalStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        if (!IsRenewal(commit))
        {
            return Inner.CommitAsync(commit, cancellationToken);
        }

        foreach (var step in commit.Partitions)
        {
            var held = Inner.Content.Partitions[step.Expected.Partition];
            var row = held.Row with { Commits = held.Row.Commits + 1 };
            Inner.Content = Inner.Content with
            {
                Partitions = Inner.Content.Partitions.SetItem(
                    row.Partition, held with { Row = row, LeaseEnd = Inner.Calls.Time.GetUtcNow() + step.Lease }),
            };
        }

        return Task.FromResult(CommitOutcome.Committed);
    }

    private static bool IsRenewal(StoreCommit commit) =>
        commit.Gateways.Count + commit.Epochs.Count + commit.Lanes.Count + commit.Outboxes.Count
            + commit.Frames.Count == 0
        && commit.Schemas.Count + commit.DeadLetters.Count == 0
        && commit.Partitions.TrueForAll(p => p.Live == p.Expected.Live && p.Backlog == p.Expected.Backlog);
}
