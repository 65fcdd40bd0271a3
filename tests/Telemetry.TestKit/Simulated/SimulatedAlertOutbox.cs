using System.Collections.Immutable;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// The relay's side of the simulated database: over the same connection, with the same errors, as the processor's.
/// </summary>
public sealed class SimulatedAlertOutbox(SimulatedStore store) : IAlertOutbox
{
    private SimulatedRelayTables Tables
    {
        get => store.Content.Relay;
        set => store.Content = store.Content with { Relay = value };
    }

    /// <inheritdoc/>
    public Task<bool> TakeLeaseAsync(
        string relay, long token, string owner, TimeSpan lease, CancellationToken cancellationToken) => CallAsync(
            "take the relay's lease",
            () =>
            {
                var now = store.Calls.Time.GetUtcNow();
                if (Tables.Leases.GetValueOrDefault(relay) is { } held && held.Owner != owner && held.End > now)
                {
                    return false;
                }

                Tables = Tables with { Leases = Tables.Leases.SetItem(relay, new(owner, token, now + lease)) };
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RenewLeaseAsync(string relay, long token, TimeSpan lease, CancellationToken cancellationToken) =>
        CallAsync(
            "renew the relay's lease", () => Change(relay, token, store.Calls.Time.GetUtcNow() + lease),
            cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseLeaseAsync(string relay, long token, CancellationToken cancellationToken) =>
        CallAsync("release the relay's lease", () => Change(relay, token, DateTimeOffset.MinValue), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<int, OutboxExtent>> ExtentsAsync(CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyDictionary<int, OutboxExtent>>(
            "look at the alert outbox",
            () =>
            {
                var first = store.Content.AlertOutbox.Keys.GroupBy(k => k.Partition)
                    .ToDictionary(g => g.Key, g => g.Min(k => k.Number));
                return store.Content.Partitions.ToDictionary(p => p.Key, p => new OutboxExtent(
                    first.GetValueOrDefault(p.Key),
                    p.Value.Row.Alerts,
                    Math.Min(Tables.Published.GetValueOrDefault(p.Key), p.Value.Row.Alerts.Number)));
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<(string Gateway, string Device), string>> SitesAsync(
        IReadOnlyCollection<(string Gateway, string Device)> devices, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyDictionary<(string Gateway, string Device), string>>(
            "look at the sites of devices",
            () => devices.Where(Tables.Sites.ContainsKey).ToDictionary(d => d, d => Tables.Sites[d]),
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AlertOutboxRow>> ReadAsync(
        int partition, long after, int rowsMax, int bytesMax, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyList<AlertOutboxRow>>(
            "read the alert outbox",
            () =>
            {
                var rows = new List<AlertOutboxRow>();
                var bytes = 0;
                foreach (var ((_, number), row) in store.Content.AlertOutbox
                    .Where(r => r.Key.Partition == partition && r.Key.Number > after))
                {
                    if (rows.Count >= rowsMax || bytes >= bytesMax)
                    {
                        break;
                    }

                    rows.Add(row);
                    bytes += row.Json.Length;
                }

                return rows;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>> StampsAsync(
        IReadOnlyCollection<(int Partition, long Number)> rows, CancellationToken cancellationToken) =>
        CallAsync<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>>(
            "look at rows of the alert outbox",
            () => rows.Distinct().Where(store.Content.AlertOutbox.ContainsKey).ToDictionary(
                row => row,
                row => new OutboxStamp(store.Content.AlertOutbox[row].Head, Tables.StoredAt[row])),
            cancellationToken);

    /// <inheritdoc/>
    public Task<int> ListOrphansAsync(
        IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken) => CallAsync(
            "list orphans",
            () =>
            {
                Tables = Tables with
                {
                    Orphans = WithoutFound(Tables.Orphans.SetItems(records
                        .Where(r => !Tables.Orphans.ContainsKey(r.Id)).DistinctBy(r => r.Id)
                        .Select(r => KeyValuePair.Create(r.Id, r)))),
                };
                return records.Select(r => r.Id).Distinct().Count(Tables.Orphans.ContainsKey);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task NoteAsync(IReadOnlyDictionary<int, AlertHead> published, CancellationToken cancellationToken) =>
        CallAsync(
            "note what is published",
            () =>
            {
                var same = published.Where(p =>
                    store.Content.AlertOutbox.GetValueOrDefault((p.Key, p.Value.Number))?.Head == p.Value);
                Tables = Tables with
                {
                    Published = Tables.Published.SetItems(same.Select(p => KeyValuePair.Create(p.Key, p.Value.Number))),
                    Orphans = WithoutFound(Tables.Orphans),
                };
                return true;
            },
            cancellationToken);

    private bool Change(string relay, long token, DateTimeOffset end)
    {
        if (Tables.Leases.GetValueOrDefault(relay) is not { } held || held.Token != token)
        {
            return false;
        }

        Tables = Tables with { Leases = Tables.Leases.SetItem(relay, held with { End = end }) };
        return true;
    }

    private ImmutableDictionary<string, PublishedAlert> WithoutFound(
        ImmutableDictionary<string, PublishedAlert> orphans)
    {
        if (orphans.IsEmpty)
        {
            return orphans;
        }

        var there = store.Content.AlertOutbox.Values.Select(r => r.Id).ToHashSet();
        return orphans.RemoveRange(orphans.Keys.Where(there.Contains));
    }

    private Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) =>
        store.Calls.CallAsync(
            what,
            effect,
            before => new StoreException(
                before ? $"{what}: the connection failed" : $"{what}: the connection broke before the answer",
                isDataFault: false,
                mayHaveCommitted: !before),
            cancellationToken);
}
