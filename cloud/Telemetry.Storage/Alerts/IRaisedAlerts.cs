namespace Telemetry.Storage.Alerts;

/// <summary>
/// The alerts that people are to know of now, from the history. Errors are <see cref="Storage.StoreException"/>.
/// </summary>
public interface IRaisedAlerts
{
    /// <summary>
    /// How many transitions there have ever been: another number means that something may have changed.
    /// </summary>
    Task<long> CountTransitionsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The newest instance of each rule, series and severity that is not late and is open, or was closed within
    /// <paramref name="within"/>; with <paramref name="changedOnly"/>, of the open ones only those that changed within
    /// it. In the order of the keys after <paramref name="after"/>, at most <paramref name="rowsMax"/>. An instance is
    /// left out if it is closed and a newer one is open.
    /// </summary>
    Task<IReadOnlyList<RaisedAlert>> ReadAsync(
        TimeSpan within, bool changedOnly, RaisedAlertKey after, int rowsMax, CancellationToken cancellationToken);

    /// <summary>
    /// One summary for each gateway of which late alerts became known within <paramref name="quiet"/>. Alerts that
    /// became known without a pause of <paramref name="quiet"/> between them are one outage, as far back as a day. A
    /// gateway whose rules are still being run again is left out until <paramref name="patience"/> has passed.
    /// </summary>
    Task<IReadOnlyList<OutageSummary>> SummariesAsync(
        TimeSpan quiet, TimeSpan patience, CancellationToken cancellationToken);
}
