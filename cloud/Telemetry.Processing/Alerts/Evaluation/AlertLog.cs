using Microsoft.Extensions.Logging;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>The log messages of alert rules and the alert outbox (ids 4000-4049).</summary>
public static partial class AlertLog
{
    [LoggerMessage(
        4000, LogLevel.Warning,
        "Gateway {Gateway} has {Pairs} pairs of rule and series more than the {WatchesMax} that are watched: no alert "
        + "comes of them")]
    public static partial void Unwatched(ILogger logger, string gateway, int pairs, int watchesMax);

    [LoggerMessage(
        4001, LogLevel.Information,
        "No relay publishes alerts: the newest {RowsMax} of a partition are kept in the alert outbox for {Keep}")]
    public static partial void Unrelayed(ILogger logger, int rowsMax, TimeSpan keep);

    [LoggerMessage(
        4002, LogLevel.Error,
        "Removed {Rows} alerts that no relay has published, over {RowsMax} of a partition or older than {Keep}")]
    public static partial void TrimmedUnpublished(ILogger logger, long rows, int rowsMax, TimeSpan keep);

    [LoggerMessage(
        4003, LogLevel.Warning,
        "The relay has {Rows} alerts of a partition still to publish, more than {RowsMax}; all of them are kept")]
    public static partial void RelayBehind(ILogger logger, long rows, int rowsMax);
}
