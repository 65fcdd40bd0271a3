using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;
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

    /// <summary>Corrections of when an instance began or ended that were committed.</summary>
    public long Revised { get; set; }

    /// <summary>Retractions of an instance that were committed.</summary>
    public long Retracted { get; set; }

    /// <summary>Those of all that were late.</summary>
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

    /// <summary>Readings that were read back to run rules again.</summary>
    public long RunReadings { get; set; }

    /// <summary>Gaps of a pair of rule and series that were evaluated again.</summary>
    public long Runs { get; set; }

    /// <summary>Readings of watched series dated too far ahead; see <see cref="AlertOptions.AheadMax"/>.</summary>
    public long AheadReadings { get; set; }

    /// <summary>Pairs of rule and series turned away; see <see cref="AlertOptions.WatchesMax"/>.</summary>
    public long Unwatched { get; set; }

    /// <summary>Makes the instruments of the processors of one process, summed up.</summary>
    public static void Publish(Meter meter, IReadOnlyList<AlertCounters> processors)
    {
        meter.Counter(
            "telemetry.alerts.transitions", "{transition}", "Alert transitions committed, by kind", "kind",
            ("firing", () => processors.Sum(c => c.Firing)), ("resolved", () => processors.Sum(c => c.Resolved)),
            ("revised", () => processors.Sum(c => c.Revised)),
            ("retracted", () => processors.Sum(c => c.Retracted)));
        Counter("telemetry.alerts.late", "{transition}", "Those that are marked late", c => c.Late);
        Counter(
            "telemetry.alerts.suppressed", "{transition}",
            "Transitions of instances that opened and closed within a frame that had opened too many",
            c => c.Suppressed);
        Counter(
            "telemetry.alerts.older.frames", "{frame}",
            "Frames with readings no newer than a rule's state", c => c.OlderFrames);
        Counter(
            "telemetry.alerts.older.readings", "{reading}", "Those readings, once for each rule", c => c.OlderReadings);
        Counter("telemetry.alerts.reruns", "{run}", "Gaps over which a rule was run again, by series", c => c.Runs);
        Counter(
            "telemetry.alerts.rerun.readings", "{reading}", "Readings read back for that", c => c.RunReadings);
        Counter(
            "telemetry.alerts.ahead.readings", "{reading}",
            "Readings of watched series dated too far ahead to be evaluated", c => c.AheadReadings);
        Counter(
            "telemetry.alerts.unwatched", "{pair}", "Pairs of rule and series turned away at the limit",
            c => c.Unwatched);

        void Counter(string name, string unit, string description, Func<AlertCounters, long> count) =>
            meter.Counter(name, unit, description, () => processors.Sum(count));
    }
}
