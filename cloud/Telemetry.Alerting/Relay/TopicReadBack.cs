using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// A row of the outbox whose chain stands in the topic: rows up to it were published from the same history.
/// </summary>
/// <param name="Stamp">The row.</param>
/// <param name="SinceMillis">What the record says; see <see cref="DuplicateFilterWindow"/>.</param>
internal readonly record struct AgreedRow(OutboxStamp Stamp, long SinceMillis);

/// <summary>
/// One reading of the topic: which ids are there, which of them the database lacks, and where the chains part.
/// </summary>
internal sealed class TopicReadBack(
    IAlertOutbox outbox, IReadOnlyDictionary<int, OutboxExtent> extents, IReadOnlyCollection<int> apart,
    PublishedIds found)
{
    private readonly Dictionary<int, AgreedRow> _agreed = [];

    public PublishedIds Found => found;

    /// <summary>The newest row of each parted partition that still agrees.</summary>
    public IReadOnlyDictionary<int, AgreedRow> Agreed => _agreed;

    public int Orphans { get; private set; }

    /// <summary>Takes the next records of the topic.</summary>
    public async Task TakeAsync(IReadOnlyList<PublishedAlert> records, CancellationToken cancellationToken)
    {
        foreach (var record in records)
        {
            if (!found.TryAdd(record.Id))
            {
                throw new AlertSinkException(
                    AlertSinkFault.Broken, $"more than {found.Count} alerts to read back; raise relay.readBackIdsMax");
            }
        }

        // What was removed from the outbox after its time is no orphan.
        Orphans += await outbox.ListOrphansAsync(
            [.. records.Where(r => r.Head.Number > extents.GetValueOrDefault(r.Partition).RemovedThrough)],
            cancellationToken);
        if (apart.Count > 0)
        {
            await CompareAsync([.. records.Where(r => apart.Contains(r.Partition))], cancellationToken);
        }
    }

    // A record agrees with the row of its number, or proves that the one before it agrees: its chain is made from that
    // one's.
    private async Task CompareAsync(IReadOnlyList<PublishedAlert> records, CancellationToken cancellationToken)
    {
        var stamps = await outbox.StampsAsync(
            [.. records.SelectMany(
                r => new[] { (r.Partition, r.Head.Number), (r.Partition, r.Head.Number - 1) }).Distinct()],
            cancellationToken);
        foreach (var record in records)
        {
            if (stamps.TryGetValue((record.Partition, record.Head.Number), out var same) && same.Head == record.Head)
            {
                Agree(record.Partition, new AgreedRow(same, record.SinceMillis));
            }
            else if (stamps.TryGetValue((record.Partition, record.Head.Number - 1), out var before)
                && before.Head.Next(record.Json.Span) == record.Head)
            {
                Agree(record.Partition, new AgreedRow(before, record.SinceMillis));
            }
        }
    }

    private void Agree(int partition, AgreedRow row)
    {
        if (!_agreed.TryGetValue(partition, out var best) || row.Stamp.Head.Number > best.Stamp.Head.Number)
        {
            _agreed[partition] = row;
        }
    }
}
