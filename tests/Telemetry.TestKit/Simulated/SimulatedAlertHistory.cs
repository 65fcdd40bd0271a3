using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Simulated;

/// <summary>Reads the alert history, and stored readings, of the simulated database.</summary>
internal sealed class SimulatedAlertHistory(SimulatedStore store) : IAlertHistory
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<GatewayId>> FindGapsAsync(int partition, CancellationToken cancellationToken) =>
        store.CallAsync<IReadOnlyList<GatewayId>>(
            "find gaps of alert rules",
            () =>
            [
                .. store.Content.AlertStates.Values.Where(s => s.Gap is not null).Select(s => s.Id.Gateway).Distinct()
                    .Where(g => store.Content.Gateways.GetValueOrDefault(g)?.Partition == partition)
                    .OrderBy(g => g.Value, StringComparer.Ordinal),
            ],
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AlertRow>> LoadAsync(
        GatewayId gateway, long sinceMicros, CancellationToken cancellationToken) =>
        store.CallAsync<IReadOnlyList<AlertRow>>(
            "load alerts",
            () =>
            [
                .. store.Content.Alerts.Values
                    .Where(a => a.Gateway == gateway && (a.State == AlertInstanceState.Firing
                        || Math.Max(a.EndedMicros ?? a.FiredMicros, a.NamedMicros) >= sinceMicros))
                    .OrderBy(a => a.Id),
            ],
            cancellationToken);

    /// <summary>Nothing: it has no retention.</summary>
    public Task<IReadOnlyDictionary<string, long>> FindRetiredAsync(
        GatewayId gateway, CancellationToken cancellationToken) =>
        store.CallAsync<IReadOnlyDictionary<string, long>>(
            "find what retention removed", () => new Dictionary<string, long>(), cancellationToken);

    /// <inheritdoc/>
    public Task ReadAsync(
        IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros, ReadingBuffer rows, int readingsMax,
        CancellationToken cancellationToken) =>
        store.CallAsync(
            "read the readings of series",
            () => Read(store.Content, series, afterMicros, throughMicros, rows, readingsMax), cancellationToken);

    private static bool Read(
        SimulatedDatabase database, IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros,
        ReadingBuffer rows, int readingsMax)
    {
        var entries = series.DistinctBy(s => s.Identity).ToDictionary(s => s.Identity);
        foreach (var row in SimulatedDatabase.All(database.Readings)
            .Where(r => r.Time > afterMicros && r.Time <= throughMicros && entries.ContainsKey(r.Series))
            .OrderBy(r => r.Time).ThenBy(r => database.Series[r.Series].Series).ThenBy(r => r.Bits)
            .ThenBy(r => r.Flags).Take(readingsMax))
        {
            ReadingsBack.Add(row, entries[row.Series], rows);
        }

        return true;
    }
}
