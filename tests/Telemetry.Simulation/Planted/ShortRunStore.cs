using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: alert rules are run again without the last reading.</summary>
internal sealed class ShortRunStore(SimulatedStore store) : AlteredStore(store)
{
    public override IAlertHistory AlertHistory => new ShortHistory(Inner.AlertHistory);

    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) =>
        Inner.CommitAsync(commit, cancellationToken);

    private sealed class ShortHistory(IAlertHistory inner) : IAlertHistory
    {
        public Task<IReadOnlyList<GatewayId>> FindGapsAsync(int partition, CancellationToken cancellationToken) =>
            inner.FindGapsAsync(partition, cancellationToken);

        public Task<IReadOnlyList<AlertRow>> LoadAsync(
            GatewayId gateway, long sinceMicros, CancellationToken cancellationToken) =>
            inner.LoadAsync(gateway, sinceMicros, cancellationToken);

        public Task<IReadOnlyDictionary<string, long>> FindRetiredAsync(
            GatewayId gateway, CancellationToken cancellationToken) =>
            inner.FindRetiredAsync(gateway, cancellationToken);

        public async Task ReadAsync(
            IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros, ReadingBuffer rows,
            int readingsMax, CancellationToken cancellationToken)
        {
            await inner.ReadAsync(series, afterMicros, throughMicros, rows, readingsMax, cancellationToken);
            rows.Truncate(Math.Max(0, rows.Count - 1), rows.TextBytes);
        }
    }
}
