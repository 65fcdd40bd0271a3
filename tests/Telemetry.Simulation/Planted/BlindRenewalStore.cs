using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Schemas;
using Telemetry.Testing.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an idle owner renews its lease without comparing its row with what it remembers.</summary>
internal sealed class BlindRenewalStore(SimulatedStore store) : IStore
{
    public Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        store.TakeLeaseAsync(partition, token, owner, lease, cancellationToken);

    public Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken) =>
        store.ReleaseLeaseAsync(partition, token, cancellationToken);

    public Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken) =>
        store.LoadGatewaysAsync(gateways, cancellationToken);

    public Task<IReadOnlyList<SchemaMessage>?> LoadSchemaAsync(
        GatewayId gateway, SchemaId schema, CancellationToken cancellationToken) =>
        store.LoadSchemaAsync(gateway, schema, cancellationToken);

    public Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, CancellationToken cancellationToken) =>
        store.FindFramesAsync(gateway, epoch, lane, range, cancellationToken);

    public Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        if (!IsRenewal(commit))
        {
            return store.CommitAsync(commit, cancellationToken);
        }

        foreach (var step in commit.Partitions)
        {
            var held = store.Content.Partitions[step.Expected.Partition];
            var row = held.Row with { Commits = held.Row.Commits + 1 };
            store.Content = store.Content with
            {
                Partitions = store.Content.Partitions.SetItem(
                    row.Partition, held with { Row = row, LeaseEnd = store.Calls.Time.GetUtcNow() + step.Lease }),
            };
        }

        return Task.FromResult(CommitOutcome.Committed);
    }

    private static bool IsRenewal(StoreCommit commit) =>
        commit.Gateways.Count + commit.Epochs.Count + commit.Lanes.Count + commit.Outboxes.Count + commit.Frames.Count == 0
        && commit.Schemas.Count + commit.DeadLetters.Count == 0
        && commit.Partitions.TrueForAll(p => p.Live == p.Expected.Live && p.Backlog == p.Expected.Backlog);
}
