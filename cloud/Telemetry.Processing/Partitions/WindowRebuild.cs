using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Windows;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// Folds anew, from the stored readings, the windows whose parts were in the memory of an owner that is gone: some
/// gateways in each transaction. Until its turn comes, a gateway's readings are stored as always, each part at once,
/// and its watermark stands still, so that no window is called complete without its parts. The compare-and-set proves
/// that nothing was stored between the reading and the commit. A gateway with many readings takes several transactions,
/// each for a slice of event time; readings that are stored meanwhile go into memory where the slices have been, and
/// are read back by a later slice elsewhere.
/// </summary>
internal sealed class WindowRebuild(
    IStore store, OwnedPartitions owned, GatewayLoader loader, WindowFolder folder, ProcessorOptions options,
    TimeProvider time, WindowCounters counters)
{
    /// <summary>How many gateways are read by one query.</summary>
    private const int TogetherMax = 32;

    private readonly ReadingBuffer _rows = new();

    /// <summary>True when the current transaction folds something anew, so that it must be committed.</summary>
    public bool Took { get; private set; }

    /// <summary>Takes the next gateways into the current transaction.</summary>
    public async Task RunAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        Took = false;
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

        await ReadAsync(found, series, commit, cancellationToken);
    }

    // When there are too many readings: first fewer gateways, then less of the last one's event time. A cut in the
    // middle of those that were read leaves about half of them, however they are spread.
    private async Task ReadAsync(
        GatewayMemory[] found, Dictionary<int, SeriesEntry> series, StoreCommit commit,
        CancellationToken cancellationToken)
    {
        var (count, readTo) = (found.Length, long.MaxValue);
        while (true)
        {
            var spans = found.Take(count).Select(g => (
                g.Ledger.Gateway, new OpenSpan(g.Windows.ReadTo, Math.Min(g.Windows.Span.To, readTo)))).ToArray();
            var isLeast = count == 1 && spans[0].Item2 is var span && span.To - span.From <= 1;
            _rows.Clear();
            var read = await store.ReadReadingsAsync(
                spans, (_, number) => series.GetValueOrDefault(number), _rows,
                isLeast ? int.MaxValue : options.Windows.RebuildReadingsMax, cancellationToken);
            if (read.IsAll)
            {
                Fold(found, spans, read.Gateways, commit);
                return;
            }

            readTo = count > 1 ? readTo : Cut(spans[0].Item2);
            count = Math.Max(1, count / 2);
        }
    }

    private void Fold(
        GatewayMemory[] found, (GatewayId Gateway, OpenSpan Span)[] spans, IReadOnlyList<int> counts,
        StoreCommit commit)
    {
        var first = 0;
        for (var at = 0; at < spans.Length; at++)
        {
            var gateway = found[at];
            folder.Rebuild(
                gateway.Windows, gateway.Ledger.Watermark.Value, _rows, first, counts[at], spans[at].Span.To, commit);
            first += counts[at];
        }

        Took = true;
    }

    private long Cut(OpenSpan span)
    {
        if (_rows.Count == 0)
        {
            return span.From + ((span.To - span.From) / 2);
        }

        var times = _rows.Times.ToArray();
        Array.Sort(times);
        return Math.Max(times[times.Length / 2], span.From + 1);
    }
}
