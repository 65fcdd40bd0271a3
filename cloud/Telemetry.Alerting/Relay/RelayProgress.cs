using Microsoft.Extensions.Logging;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// Where a relay stands while it leads, and what comes next. Every row is held against the chain of the one before it,
/// so a database that is put back meanwhile is noticed before anything of it is published.
/// </summary>
internal sealed class RelayProgress(
    IAlertOutbox outbox, RelayStart start, RelayOptions options, RelayCounters counters, ILogger logger)
{
    private readonly Dictionary<int, RelayPosition> _positions = start.Positions;
    private readonly Dictionary<int, AlertHead> _noted = [];
    private readonly Dictionary<int, long> _lastServed = [];
    private long _served;

    /// <summary>
    /// True when what the database holds is still what was published. A partition that stands behind our position, or
    /// has another chain there, was put back.
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

    /// <summary>Counts how many rows wait.</summary>
    public long Waiting(IReadOnlyDictionary<int, OutboxExtent> extents) => counters.Waiting =
        extents.Sum(e => Math.Max(0, e.Value.Head.Number - _positions.GetValueOrDefault(e.Key).Head.Number));

    /// <summary>
    /// The next rows of all partitions within the limits of a batch; null when the database was put back.
    /// </summary>
    public async Task<RelayBatch?> NextAsync(
        IReadOnlyDictionary<int, OutboxExtent> extents, CancellationToken cancellationToken)
    {
        var records = new List<AlertRecord>();
        var positions = new Dictionary<int, RelayPosition>();
        var (rows, bytes, skipped) = (0, 0, 0);
        Waiting(extents);
        // The one that is furthest behind first, so that a busy partition does not keep back the others for ever.
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

        return new RelayBatch(records, positions, skipped);
    }

    /// <summary>The batch is committed.</summary>
    public void Passed(RelayBatch batch)
    {
        foreach (var (partition, position) in batch.Positions)
        {
            _positions[partition] = position;
        }
    }

    /// <summary>What is published and was not noted in the database since this relay leads.</summary>
    public IReadOnlyDictionary<int, AlertHead> Unnoted() => _positions
        .Where(p => p.Value.Head.Number > 0 && _noted.GetValueOrDefault(p.Key) != p.Value.Head)
        .ToDictionary(p => p.Key, p => p.Value.Head);

    /// <summary>The database has it.</summary>
    public void Noted(IReadOnlyDictionary<int, AlertHead> heads)
    {
        foreach (var (partition, head) in heads)
        {
            _noted[partition] = head;
        }
    }

    // After a read-back the row at the position may be one that was removed: then there is nothing to compare with.
    private static bool IsChainKnown(AlertHead head) => head.Number == 0 || head.Chain != default;

    private bool Follows(AlertHead at, AlertOutboxRow row)
    {
        if (row.Head.Number == at.Number + 1)
        {
            return !IsChainKnown(at) || at.Next(row.Json.Span) == row.Head;
        }

        // A gap: rows that were removed unpublished, as the outbox is bounded.
        counters.Gone += row.Head.Number - at.Number - 1;
        RelayLog.Gone(logger, row.Partition, at.Number + 1, row.Head.Number - 1);
        return true;
    }
}
