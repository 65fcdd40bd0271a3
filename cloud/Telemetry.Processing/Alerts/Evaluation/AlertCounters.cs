using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// What the evaluation of alert rules counted since the process started; written by the processor's thread.
/// </summary>
public sealed class AlertCounters
{
    /// <summary>Transitions to firing that were committed.</summary>
    public long Firing { get; set; }

    /// <summary>Transitions to resolved that were committed.</summary>
    public long Resolved { get; set; }

    /// <summary>Those of both that were late.</summary>
    public long Late { get; set; }

    /// <summary>
    /// Transitions not published, because one frame opened too many instances; see
    /// <see cref="AlertOptions.InstancesPerFrameMax"/>.
    /// </summary>
    public long Suppressed { get; set; }

    /// <summary>Frames with at least one reading that was no newer than a rule's state.</summary>
    public long OlderFrames { get; set; }

    /// <summary>
    /// Readings that left a rule's state untouched because they were no newer than it; once for each rule.
    /// </summary>
    public long OlderReadings { get; set; }

    /// <summary>Readings of watched series dated too far ahead; see <see cref="AlertOptions.AheadMax"/>.</summary>
    public long AheadReadings { get; set; }

    /// <summary>Pairs of rule and series turned away; see <see cref="AlertOptions.WatchesMax"/>.</summary>
    public long Unwatched { get; set; }
}
