using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;

namespace Telemetry.Simulation.Relays;

/// <summary>Planted: the position is written in a transaction of its own behind the records'.</summary>
internal sealed class PositionApartSink(IAlertSink inner) : IAlertSink
{
    public async Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken) =>
        new Producer(await inner.BeginAsync(cancellationToken));

    public Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken) =>
        inner.ReadPositionsAsync(cancellationToken);

    public IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(from, cancellationToken);

    private sealed class Producer(IAlertProducer inner) : IAlertProducer
    {
        public async Task PublishAsync(
            IReadOnlyList<AlertRecord> records, IReadOnlyDictionary<int, RelayPosition> positions,
            CancellationToken cancellationToken)
        {
            await inner.PublishAsync(records, new Dictionary<int, RelayPosition>(), cancellationToken);
            await inner.PublishAsync([], positions, cancellationToken);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

/// <summary>Planted: the positions are read before the older producers are fenced.</summary>
internal sealed class EarlyPositionSink(IAlertSink inner) : IAlertSink
{
    private IReadOnlyDictionary<int, RelayPosition> _read = new Dictionary<int, RelayPosition>();

    public async Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken)
    {
        _read = await inner.ReadPositionsAsync(cancellationToken);
        return await inner.BeginAsync(cancellationToken);
    }

    public Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_read);

    public IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(from, cancellationToken);
}

/// <summary>Planted: reading back leaves out the ids, so that nothing is skipped.</summary>
internal sealed class ForgetfulSink(IAlertSink inner) : IAlertSink
{
    public Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken) => inner.BeginAsync(cancellationToken);

    public async Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(
        CancellationToken cancellationToken) =>
        (await inner.ReadPositionsAsync(cancellationToken))
            .ToDictionary(p => p.Key, p => p.Value with { Skipping = DuplicateFilterWindow.None });

    public IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(from, cancellationToken);
}

/// <summary>Planted: chains are not compared; every row has the chain that its position says.</summary>
internal sealed class BlindOutbox(IAlertOutbox inner, IAlertSink sink) : IAlertOutbox
{
    public async Task<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>> StampsAsync(
        IReadOnlyCollection<(int Partition, long Number)> rows, CancellationToken cancellationToken)
    {
        var stamps = await inner.StampsAsync(rows, cancellationToken);
        var positions = await sink.ReadPositionsAsync(cancellationToken);
        return rows.Distinct().Where(
            r =>
                stamps.ContainsKey(r) || positions.GetValueOrDefault(r.Partition).Head.Number == r.Number).ToDictionary(
                    r => r,
                    r => positions.GetValueOrDefault(r.Partition).Head is var head && head.Number == r.Number
                        ? new OutboxStamp(head, default)
                        : stamps[r]);
    }

    public async Task<IReadOnlyDictionary<int, OutboxExtent>> ExtentsAsync(CancellationToken cancellationToken) =>
        await inner.ExtentsAsync(cancellationToken);

    public Task<bool> TakeLeaseAsync(
        string relay, long token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        inner.TakeLeaseAsync(relay, token, owner, lease, cancellationToken);

    public Task<bool> RenewLeaseAsync(string relay, long token, TimeSpan lease, CancellationToken cancellationToken) =>
        inner.RenewLeaseAsync(relay, token, lease, cancellationToken);

    public Task ReleaseLeaseAsync(string relay, long token, CancellationToken cancellationToken) =>
        inner.ReleaseLeaseAsync(relay, token, cancellationToken);

    public Task<IReadOnlyList<AlertOutboxRow>> ReadAsync(
        int partition, long after, int rowsMax, int bytesMax, CancellationToken cancellationToken) =>
        inner.ReadAsync(partition, after, rowsMax, bytesMax, cancellationToken);

    public Task<IReadOnlyDictionary<(string Gateway, string Device), string>> SitesAsync(
        IReadOnlyCollection<(string Gateway, string Device)> devices, CancellationToken cancellationToken) =>
        inner.SitesAsync(devices, cancellationToken);

    public Task<int> ListOrphansAsync(
        IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken) =>
        inner.ListOrphansAsync(records, cancellationToken);

    public Task NoteAsync(IReadOnlyDictionary<int, AlertHead> published, CancellationToken cancellationToken) =>
        inner.NoteAsync(published, cancellationToken);
}
