using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Windows;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Folds anew, from the stored readings, the windows whose parts were in the memory of an owner that is gone: some
/// gateways in each transaction. Until its turn comes, a gateway's readings are stored as always, each part at once,
/// and its watermark stands still, so that no window is called complete without its parts. The compare-and-set proves
/// that nothing was stored between the reading and the commit.
/// </summary>
internal sealed class WindowRebuild(
    IStore store, OwnedPartitions owned, GatewayLoader loader, WindowFolder folder, ProcessorOptions options,
    TimeProvider time, WindowCounters counters)
{
    /// <summary>How many gateways are read by one query.</summary>
    private const int TogetherMax = 32;

    private readonly ReadingBuffer _rows = new();

    /// <summary>True when gateways wait for their turn.</summary>
    public bool Waits { get; private set; }

    /// <summary>Takes the next gateways into the current transaction.</summary>
    public async Task RunAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        foreach (var owner in owned.All)
        {
            await AskAsync(owner, cancellationToken);
        }

        do
        {
            var next = owned.All.FirstOrDefault(o => Waiting(o).Any());
            if (next is null)
            {
                break;
            }

            await RebuildAsync(next, [.. Waiting(next).Take(TogetherMax)], commit, cancellationToken);
        }
        while (time.GetElapsedTime(began) < options.Windows.RebuildTime);
        counters.Waiting = owned.All.Sum(o => Waiting(o).Count());
        Waits = counters.Waiting > 0;
    }

    private static IEnumerable<GatewayId> Waiting(PartitionOwner owner) =>
        owner.Windows.Values.Where(w => w.MustRebuild && !w.Rebuilding).Select(w => w.Gateway);

    // A new owner asks once which gateways have such windows; those of which nothing comes any more are among them.
    private async Task AskAsync(PartitionOwner owner, CancellationToken cancellationToken)
    {
        if (!owner.OpenGatewaysKnown)
        {
            var open = await store.FindOpenGatewaysAsync(owner.Row.Partition, cancellationToken);
            await loader.LoadAsync(owner, open, cancellationToken);
            owner.OpenGatewaysKnown = true;
        }
    }

    private async Task RebuildAsync(
        PartitionOwner owner, GatewayId[] gateways, StoreCommit commit, CancellationToken cancellationToken)
    {
        await loader.LoadAsync(owner, gateways, cancellationToken);
        var found = gateways.Where(owner.Gateways.ContainsKey).Select(g => owner.Gateways[g]).ToArray();
        var series = new Dictionary<int, SeriesEntry>();
        foreach (var ledger in found.Select(g => g.Ledger))
        {
            if (!ledger.Schemas.Loaded)
            {
                ledger.Schemas.Load(await store.LoadSchemasAsync(ledger.Gateway, cancellationToken));
            }

            foreach (var entry in ledger.Schemas.Entries)
            {
                series[entry.Number] = entry;
            }
        }

        _rows.Clear();
        var counts = await store.ReadReadingsAsync(
            [.. found.Select(g => (g.Ledger.Gateway, g.Windows.Span))], (_, number) => series.GetValueOrDefault(number),
            _rows, cancellationToken);
        var first = 0;
        foreach (var (gateway, count) in found.Zip(counts))
        {
            folder.Rebuild(gateway.Windows, gateway.Ledger.Watermark.Value, _rows, first, count, commit);
            first += count;
        }
    }
}
