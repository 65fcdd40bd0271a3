using Telemetry.Model.Identity;
using Telemetry.Processing.Windows;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Writes the parts of windows that are in memory alone, before partitions are given back: their next owner then has
/// nothing to fold anew. One transaction, with a time limit; if it fails, nothing is lost, and the next owner folds
/// these windows from the readings.
/// </summary>
internal sealed class WindowHandover(
    IStore store, GatewayLoader loader, WindowFolder folder, ProcessorOptions options, TimeProvider time)
{
    /// <summary>How long it may take: a clean stop hands over within a second.</summary>
    private static readonly TimeSpan TimeMax = TimeSpan.FromMilliseconds(800);

    private readonly StoreCommit _commit = new();

    /// <summary>
    /// Runs between two transactions, when the memory of these owners equals the database's state. Returns false when
    /// the parts were not written; the owners' memory is then worth nothing any more.
    /// </summary>
    public async Task<bool> RunAsync(IReadOnlyCollection<PartitionOwner> owners, CancellationToken cancellationToken)
    {
        folder.Clear();
        _commit.Clear();
        using var limit = new CancellationTokenSource(TimeMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            var watermarks = new Dictionary<GatewayId, long>();
            foreach (var owner in owners)
            {
                await AddAsync(owner, now, watermarks, either.Token);
            }

            if (watermarks.Count == 0)
            {
                return true;
            }

            _commit.Partitions.AddRange(owners.Select(owner => owner.Step(options.Lease)));
            if (await store.CommitAsync(_commit, either.Token) == CommitOutcome.Committed)
            {
                folder.Committed(g => watermarks[g], now, _commit);
                foreach (var owner in owners)
                {
                    owner.Committed();
                }

                return true;
            }
        }
        catch (StoreException)
        {
            // The next owner folds these windows from the readings. If the database fails on, the next call reports it.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // It takes too long.
        }

        folder.RolledBack();
        return false;
    }

    private async Task AddAsync(
        PartitionOwner owner, long now, Dictionary<GatewayId, long> watermarks, CancellationToken cancellationToken)
    {
        GatewayId[] open = [.. owner.Windows.Values.Where(w => w.Count > 0 && !w.MustRebuild).Select(w => w.Gateway)];
        await loader.LoadAsync(owner, open, cancellationToken);
        foreach (var gateway in open)
        {
            // A gateway that was loaded just now, and whose row says something else, must be folded anew.
            if (owner.Gateways.TryGetValue(gateway, out var memory) && memory.Windows is { Count: > 0 } windows)
            {
                windows.WriteAll = true;
                watermarks[gateway] = memory.Ledger.Watermark.Value;
                memory.Ledger.OpenWindows = folder.Write(windows, memory.Ledger.Watermark.Value, now, _commit);
                memory.WriteChanges(_commit);
            }
        }
    }
}
