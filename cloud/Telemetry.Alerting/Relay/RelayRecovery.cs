using Microsoft.Extensions.Logging;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// Decides where a relay continues. Only an equal chain means "after the position". Otherwise the database was restored
/// (or the position is gone), and the topic itself shows what has been published: it is read back on all partitions, to
/// the time of the newest row whose chain is still equal.
/// <para>
/// The time to which the topic was read back stays in the position, and in every record from then on. Ids found after
/// it are skipped by every relay that begins later too, also when the database is restored once more, for as long as
/// the log could bring them again.
/// </para>
/// </summary>
/// </summary>
internal sealed class RelayRecovery(
    IAlertSink sink, IAlertOutbox outbox, RelayOptions options, RelayCounters counters, TimeProvider time,
    ILogger logger)
{
    /// <summary>A time before every record.</summary>
    private const long BeginningMillis = 1;

    /// <summary>Compares the positions with the database, and reads the topic back if necessary.</summary>
    public async Task<RelayStart> FindAsync(
        IReadOnlyDictionary<int, RelayPosition> positions,
        IReadOnlyDictionary<int, OutboxExtent> extents,
        Func<Task> stillLeading,
        CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var kept = Kept(positions.Values, now.ToUnixTimeMilliseconds());
        var apart = await DisagreeAsync(positions, extents, cancellationToken);
        var goOn = positions.Where(p => !apart.Contains(p.Key)).ToDictionary();
        if (apart.Count == 0 && kept == DuplicateFilterWindow.None)
        {
            return new RelayStart(goOn, new PublishedIds(0), DuplicateFilterWindow.None);
        }

        var stamps = await outbox.StampsAsync([.. apart.Select(p => (p, Extent(p).Head.Number))], cancellationToken);
        var from = apart
            .Select(p => stamps.TryGetValue((p, Extent(p).Head.Number), out var newest)
                ? Before(newest.StoredAt)
                : BeginningMillis)
            .Concat(kept.SinceMillis > 0 ? [kept.SinceMillis] : [])
            .Min();
        while (true)
        {
            var readBack = new TopicReadBack(outbox, extents, apart, new PublishedIds(options.ReadBackIdsMax));
            await foreach (var records in sink.ReadBackAsync(
                DateTimeOffset.FromUnixTimeMilliseconds(from), cancellationToken))
            {
                await readBack.TakeAsync(records, cancellationToken);
                await stillLeading();
            }

            var needed = apart.Select(p => readBack.Agreed.TryGetValue(p, out var row) ? Needed(row) : BeginningMillis)
                .Append(from).Min();
            if (needed == from)
            {
                counters.ReadBacks++;
                counters.Orphans = readBack.Orphans;
                RelayLog.ReadBack(
                    logger, DateTimeOffset.FromUnixTimeMilliseconds(from), readBack.Found.Count, readBack.Orphans);
                await GoOnAsync(goOn, apart, extents, readBack, cancellationToken);
                return new RelayStart(goOn, readBack.Found, readBack.Found.Count == 0 ? DuplicateFilterWindow.None
                    : apart.Count == 0 ? kept
                    : new DuplicateFilterWindow(from, (now + options.SkipFor).ToUnixTimeMilliseconds()));
            }

            from = needed;
        }

        OutboxExtent Extent(int partition) => extents.GetValueOrDefault(partition);
    }

    // Rows up to here are published: their chain is in the topic, or this database recorded it.
    private async Task GoOnAsync(
        Dictionary<int, RelayPosition> positions,
        List<int> apart,
        IReadOnlyDictionary<int, OutboxExtent> extents,
        TopicReadBack readBack,
        CancellationToken cancellationToken)
    {
        var noted = await outbox.StampsAsync(
            [.. apart.Select(p => (p, extents.GetValueOrDefault(p).Noted))], cancellationToken);
        foreach (var partition in apart)
        {
            var extent = extents.GetValueOrDefault(partition);
            var agreed = readBack.Agreed.TryGetValue(partition, out var row) ? row.Stamp.Head : AlertHead.None;
            var head = extent.Noted <= agreed.Number ? agreed
                : extent.Noted == extent.Head.Number ? extent.Head
                : noted.TryGetValue((partition, extent.Noted), out var stamp) ? stamp.Head
                : new AlertHead(extent.Noted, default);
            positions[partition] = new RelayPosition(head, DuplicateFilterWindow.None);
        }
    }

    private async Task<List<int>> DisagreeAsync(
        IReadOnlyDictionary<int, RelayPosition> positions,
        IReadOnlyDictionary<int, OutboxExtent> extents,
        CancellationToken cancellationToken)
    {
        var stamps = await outbox.StampsAsync(
            [.. positions.Select(p => (p.Key, p.Value.Head.Number))], cancellationToken);
        var apart = new List<int>();
        foreach (var partition in positions.Keys.Union(extents.Keys).Order())
        {
            if (positions.TryGetValue(partition, out var position))
            {
                var head = position.Head;
                var held = head.Number == 0 ? AlertHead.None
                    : stamps.TryGetValue((partition, head.Number), out var stamp) ? stamp.Head
                    : extents.GetValueOrDefault(partition).Head;
                if (held == head)
                {
                    continue;
                }

                RelayLog.PutBack(logger, partition, position.ToString());
            }
            else if (positions.Count > 0)
            {
                continue; // Nothing of this partition was ever published: otherwise its position would exist.
            }

            // If there are no positions at all, the topic shows whether this is the beginning or the positions were
            // lost.
            apart.Add(partition);
        }

        return apart;
    }

    private static DuplicateFilterWindow Kept(IEnumerable<RelayPosition> positions, long nowMillis)
    {
        var skipping = positions.Select(p => p.Skipping).Where(s => s.UntilMillis > nowMillis).ToList();
        return skipping.Count == 0 ? DuplicateFilterWindow.None
            : new DuplicateFilterWindow(skipping.Min(s => s.SinceMillis), skipping.Max(s => s.UntilMillis));
    }

    private long Before(DateTimeOffset storedAt) =>
        Math.Max((storedAt - options.ReadBackMargin).ToUnixTimeMilliseconds(), BeginningMillis);

    private long Needed(AgreedRow row) => row.SinceMillis > 0
        ? Math.Min(Before(row.Stamp.StoredAt), row.SinceMillis)
        : Before(row.Stamp.StoredAt);
}

/// <summary>Where a relay continues.</summary>
/// <param name="Positions">It continues after these rows.</param>
/// <param name="Skip">Ids that are in the topic and may occur in the outbox again.</param>
/// <param name="Skipping">Written with every position from here on.</param>
internal sealed record RelayStart(
    Dictionary<int, RelayPosition> Positions, PublishedIds Skip, DuplicateFilterWindow Skipping);
