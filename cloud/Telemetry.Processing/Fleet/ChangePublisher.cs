using Telemetry.Model.Identity;
using Telemetry.Model.Wire;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;
using Telemetry.Storage;
using Telemetry.Streams;
using Telemetry.Streams.Fleet;

namespace Telemetry.Processing.Fleet;

/// <summary>
/// Tells the dashboards after each commit what it changed, with the partition's count of commits. Commits that changed
/// nothing are told together, at intervals. A message that cannot be sent is not sent again: the next one shows the
/// jump, and who listens reads the partition from the database.
/// </summary>
internal sealed class ChangePublisher(IFleetChannel? channel, OwnedPartitions owned, TimeProvider time)
{
    /// <summary>How often a partition is told of when nothing changes: so dashboards know that they hear.</summary>
    private static readonly TimeSpan QuietEvery = TimeSpan.FromSeconds(2);

    private readonly Dictionary<GatewayId, bool> _changed = [];
    private readonly Dictionary<int, Told> _told = [];
    private readonly WireWriter _writer = new(4096);

    /// <summary>The commit happened: tells what it changed.</summary>
    public async Task PublishAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        if (channel is null)
        {
            return;
        }

        Collect(commit);
        var changed = _changed.Keys.ToLookup(gateway => owned.OwnerOf(gateway).Row.Partition);
        var told = 0;
        try
        {
            foreach (var owner in owned.All)
            {
                await PublishAsync(owner, [.. changed[owner.Row.Partition]], cancellationToken);
                told++;
            }
        }
        catch (FrameLogException)
        {
            // The process reports that NATS is out of reach.
            foreach (var partition in owned.All.Skip(told).Select(owner => owner.Row.Partition))
            {
                _told.Remove(partition);
            }
        }
    }

    private void Collect(StoreCommit commit)
    {
        _changed.Clear();
        foreach (var row in commit.Gateways)
        {
            _changed.TryAdd(row.Gateway, false);
        }

        foreach (var row in commit.Outboxes)
        {
            _changed.TryAdd(row.Gateway, false);
        }

        foreach (var row in commit.AlertStates)
        {
            _changed[row.Id.Gateway] = true;
        }

        foreach (var id in commit.RemovedAlertStates)
        {
            _changed[id.Gateway] = true;
        }
    }

    private async Task PublishAsync(PartitionOwner owner, GatewayId[] changed, CancellationToken cancellationToken)
    {
        var (partition, to) = (owner.Row.Partition, owner.Row.Commits);
        var isKnown = _told.TryGetValue(partition, out var told) && told.Token == owner.Row.Token;
        if (isKnown && changed.Length == 0 && time.GetElapsedTime(told.At) < QuietEvery)
        {
            return;
        }

        // Of a new lease, and after a message that was not sent, only this commit is known: for who listens that is a
        // jump, unless it knows the one before.
        var from = isKnown ? told.Commits : to - 1;
        _told.Remove(partition);
        if (changed.Length > PartitionChanges.GatewaysMax || !changed.All(owner.Gateways.ContainsKey))
        {
            return;
        }

        _writer.Clear();
        var changes = changed.Select(gateway => Change(owner.Gateways[gateway].Ledger)).ToArray();
        new PartitionChanges(partition, from, to, NowMicros(), changes).Write(_writer);
        await channel!.PublishChangesAsync(partition, _writer.ToArray(), cancellationToken);
        _told[partition] = new Told(owner.Row.Token, to, time.GetTimestamp());
    }

    private GatewayChange Change(GatewayLedger ledger) => new(
        ledger.Gateway, ledger.AcceptedTotal, ledger.Row.Stored, ledger.Row.Rejected, ledger.Row.Dropped,
        ledger.Row.Lost, ledger.Row.Watermark, ledger.Row.Fork)
    {
        AlertsChanged = _changed[ledger.Gateway],
    };

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private readonly record struct Told(ulong Token, long Commits, long At);
}
