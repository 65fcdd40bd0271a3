using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Alerts;

/// <summary>
/// What an owner reads to run alert rules again over stored readings; a part of <see cref="IStore"/>, which writes the
/// history.
/// </summary>
public interface IAlertHistory
{
    /// <summary>The gateways of a partition of which an alert rule must be run again on a series.</summary>
    Task<IReadOnlyList<GatewayId>> FindGapsAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// The alert instances of a gateway that are open, or that were open, opened or named after
    /// <paramref name="sinceMicros"/> or at it.
    /// </summary>
    Task<IReadOnlyList<AlertRow>> LoadAsync(
        GatewayId gateway, long sinceMicros, CancellationToken cancellationToken);

    /// <summary>
    /// Up to which event time retention has removed readings of a gateway's metrics, perhaps not all of them; without
    /// the metrics of which nothing was removed.
    /// </summary>
    Task<IReadOnlyDictionary<string, long>> FindRetiredAsync(GatewayId gateway, CancellationToken cancellationToken);

    /// <summary>
    /// Adds to <paramref name="rows"/> the stored readings of some series of one gateway after one event time and
    /// through another, in the order of time: the first <paramref name="readingsMax"/> of them. Of readings of one
    /// series and time, the order is always the same.
    /// </summary>
    Task ReadAsync(
        IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros, ReadingBuffer rows, int readingsMax,
        CancellationToken cancellationToken);
}
