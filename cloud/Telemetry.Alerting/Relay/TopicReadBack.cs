using System.IO.Hashing;
using System.Text;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// A row of the outbox whose chain is in the topic: the rows up to it were published from the same history.
/// </summary>
/// <param name="Stamp">The row.</param>
/// <param name="SinceMillis">The time in the record; see <see cref="DuplicateFilterWindow"/>.</param>
internal readonly record struct AgreedRow(OutboxStamp Stamp, long SinceMillis);

/// <summary>
/// One read of the topic: which ids it contains, which of them the database lacks, and where the chains differ.
/// </summary>
internal sealed class TopicReadBack(
    IAlertOutbox outbox, IReadOnlyDictionary<int, OutboxExtent> extents, IReadOnlyCollection<int> apart,
    PublishedIds found)
{
    private readonly Dictionary<int, AgreedRow> _agreed = [];

    public PublishedIds Found => found;

    /// <summary>The newest row of each differing partition whose chain is still equal.</summary>
    public IReadOnlyDictionary<int, AgreedRow> Agreed => _agreed;

    public int Orphans { get; private set; }

    /// <summary>Adds the next records of the topic.</summary>
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

        // A row that was removed from the outbox because of its age is not an orphan.
        Orphans += await outbox.ListOrphansAsync(
            [.. records.Where(r => r.Head.Number > extents.GetValueOrDefault(r.Partition).RemovedThrough)],
            cancellationToken);
        if (apart.Count > 0)
        {
            await CompareAsync([.. records.Where(r => apart.Contains(r.Partition))], cancellationToken);
        }
    }

    // A record equals the row of its number, or proves that the row before it is equal: its chain is computed from that
    // row's.
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

/// <summary>Ids that are in the topic, as hashes of 128 bits: bounded, about 40 bytes each.</summary>
internal sealed class PublishedIds(int countMax)
{
    private readonly HashSet<UInt128> _ids = [];

    public int Count => _ids.Count;

    /// <summary>False when it is full.</summary>
    public bool TryAdd(string id) => _ids.Count < countMax ? _ids.Add(Hash(id)) || true : _ids.Contains(Hash(id));

    public bool Contains(string id) => _ids.Count > 0 && _ids.Contains(Hash(id));

    private static UInt128 Hash(string id) => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(id));
}
