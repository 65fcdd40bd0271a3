using Microsoft.Extensions.Logging;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// The positions of a relay while it leads, and its next rows. Every row is compared with the chain of the row before
/// it, so a database that is restored meanwhile is noticed before any of its rows is published.
/// </summary>
internal sealed class RelayProgress(
    IAlertOutbox outbox, RelayStart start, RelayOptions options, RelayCounters counters, ILogger logger)
{
    private readonly Dictionary<int, RelayPosition> _positions = start.Positions;
    private readonly Dictionary<int, AlertHead> _noted = [];
    private readonly Dictionary<int, long> _lastServed = [];
    private long _served;

    /// <summary>
    /// True when the database's rows are still those that were published. If a partition is behind our position, or has
    /// another chain at it, the database was restored.
    /// </summary>
    public bool Agrees(IReadOnlyDictionary<int, OutboxExtent> extents)
    {
        foreach (var (partition, position) in _positions)
        {
            var head = extents.GetValueOrDefault(partition).Head;
            if (head.Number < position.Head.Number
                || (head.Number == position.Head.Number && head != position.Head && IsChainKnown(position.Head)))
            {
                RelayLog.PutBack(logger, partition, position.ToString());
                return false;
            }
        }

        return true;
    }

    /// <summary>The number of rows that wait.</summary>
    public long Waiting(IReadOnlyDictionary<int, OutboxExtent> extents) => counters.Waiting =
        extents.Sum(e => Math.Max(0, e.Value.Head.Number - _positions.GetValueOrDefault(e.Key).Head.Number));

    /// <summary>
    /// The next rows of all partitions within the limits of a batch; null when the database was restored.
    /// </summary>
    public async Task<RelayBatch?> NextAsync(
        IReadOnlyDictionary<int, OutboxExtent> extents, CancellationToken cancellationToken)
    {
        var records = new List<AlertRecord>();
        var positions = new Dictionary<int, RelayPosition>();
        var (rows, bytes, skipped) = (0, 0, 0);
        Waiting(extents);
        // The partition that was served longest ago comes first, so that a busy partition does not block the others
        // forever.
        foreach (var (partition, extent) in extents.OrderBy(e => _lastServed.GetValueOrDefault(e.Key))
            .ThenBy(e => e.Key))
        {
            var at = _positions.GetValueOrDefault(partition).Head;
            if (extent.Head.Number <= at.Number || rows >= options.BatchRowsMax || bytes >= options.BatchBytesMax)
            {
                continue;
            }

            _lastServed[partition] = ++_served;
            foreach (var row in await outbox.ReadAsync(
                partition, at.Number, options.BatchRowsMax - rows, options.BatchBytesMax - bytes, cancellationToken))
            {
                if (!Follows(at, row))
                {
                    RelayLog.PutBack(logger, partition, new RelayPosition(at, start.Skipping).ToString());
                    return null;
                }

                at = row.Head;
                rows++;
                bytes += row.Json.Length;
                if (start.Skip.Contains(row.Id))
                {
                    skipped++;
                    continue;
                }

                records.Add(AlertRecord.Of(row, start.Skipping.SinceMillis, options.Source, out var readable));
                if (!readable)
                {
                    counters.Unreadable++;
                    RelayLog.Unreadable(logger, partition, row.Head.Number);
                }
            }

            positions[partition] = new RelayPosition(at, start.Skipping);
        }

        return new RelayBatch(await RoutedAsync(records, cancellationToken), positions, skipped);
    }

    /// <summary>The batch is committed.</summary>
    public void Passed(RelayBatch batch)
    {
        foreach (var (partition, position) in batch.Positions)
        {
            _positions[partition] = position;
        }
    }

    /// <summary>The positions that are published and not recorded in the database since this relay leads.</summary>
    public IReadOnlyDictionary<int, AlertHead> Unnoted() => _positions
        .Where(p => p.Value.Head.Number > 0 && _noted.GetValueOrDefault(p.Key) != p.Value.Head)
        .ToDictionary(p => p.Key, p => p.Value.Head);

    /// <summary>The database has recorded them.</summary>
    public void Noted(IReadOnlyDictionary<int, AlertHead> heads)
    {
        foreach (var (partition, head) in heads)
        {
            _noted[partition] = head;
        }
    }

    private async Task<IReadOnlyList<AlertRecord>> RoutedAsync(
        List<AlertRecord> records, CancellationToken cancellationToken)
    {
        var sites = options.Routes.AskForSites && records.Count > 0
            ? await outbox.SitesAsync(
                [.. records.Select(r => r.Transition).OfType<AlertTransition>().Select(t => (t.Gateway, t.Device))
                    .Distinct()],
                cancellationToken)
            : null;
        return [.. records.Select(r => r.Transition is { } transition
            ? r.For(
                options.Routes.Of(
                    transition, sites?.GetValueOrDefault((transition.Gateway, transition.Device)) ?? ""),
                options.StateTopic)
            : r)];
    }

    // After a read-back the row at the position may have been removed: then there is nothing to compare with.
    private static bool IsChainKnown(AlertHead head) => head.Number == 0 || head.Chain != default;

    private bool Follows(AlertHead at, AlertOutboxRow row)
    {
        if (row.Head.Number == at.Number + 1)
        {
            return !IsChainKnown(at) || at.Next(row.Json.Span) == row.Head;
        }

        // A gap: rows that were removed unpublished, because the outbox is bounded.
        counters.Gone += row.Head.Number - at.Number - 1;
        RelayLog.Gone(logger, row.Partition, at.Number + 1, row.Head.Number - 1);
        return true;
    }
}

/// <summary>The content of one transaction.</summary>
/// <param name="Records">The records, in the order of the outbox's numbers.</param>
/// <param name="Positions">The positions of every partition that the batch moves.</param>
/// <param name="Skipped">Rows whose id is in the topic already.</param>
internal sealed record RelayBatch(
    IReadOnlyList<AlertRecord> Records, IReadOnlyDictionary<int, RelayPosition> Positions, int Skipped);
