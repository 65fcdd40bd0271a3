using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>A difference between the history and what a run in the order of event time finds.</summary>
/// <param name="Kind">How it is published; null if only the row changes.</param>
/// <param name="Row">The history's row after it.</param>
/// <param name="TimeMicros">Its event time.</param>
/// <param name="Value">The value at that time, or the peak.</param>
internal sealed record AlertCorrection(AlertKind? Kind, AlertRow Row, long TimeMicros, double Value)
{
    /// <summary>
    /// 0, or what tells it apart from an earlier correction of the instance that had the same content.
    /// </summary>
    public int Again { get; init; }
}
