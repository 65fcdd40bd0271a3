using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// One rule on one series: its state, advanced by readings in event time. Used on the processor's thread; discarded
/// with the gateway's memory when a transaction did not commit.
/// </summary>
internal sealed class AlertWatch(AlertRule rule, AlertStateId id)
{
    private RuleState _state = RuleState.None;

    public AlertRule Rule => rule;

    public AlertStateId Id => id;

    /// <summary>The state after the last reading evaluated.</summary>
    public RuleState State => _state;

    /// <summary>The instance that is open, or that was closed last.</summary>
    public UInt128 Instance => _state.Instance;

    /// <summary>When the condition of that instance, or of the pending one, began to hold.</summary>
    public long StartedMicros => _state.StartedMicros;

    /// <summary>Event time of the last reading evaluated.</summary>
    public long TimeMicros => _state.TimeMicros;

    /// <summary>The event times that must be evaluated again.</summary>
    public AlertGap? Gap { get; private set; }

    /// <summary>
    /// True when a reading came that is older than the state, since <see cref="BeginRun"/>: a run over the stored
    /// readings may have missed it.
    /// </summary>
    public bool Missed { get; private set; }

    /// <summary>True when the row must be written.</summary>
    public bool Changed { get; private set; }

    /// <summary>Instances published since the frame began.</summary>
    public int Opened { get; set; }

    /// <summary>An instance's beginning that is published only if it is still open when the frame ends.</summary>
    public AlertPublication? Held { get; set; }

    /// <summary>
    /// Loads the state from the database. If the rule was changed meanwhile, an open instance is kept and judged by the
    /// new rule; a pending condition of the old rule is discarded.
    /// </summary>
    public void Load(AlertStateRow row) =>
        (_state, Gap) = (RuleStep.Load(rule, row.RuleVersion, row.State), row.Gap);

    /// <summary>Evaluates a reading that is newer than <see cref="TimeMicros"/>.</summary>
    public AlertChange Take(long timeMicros, double value) => Take(timeMicros, value, out _);

    /// <summary>
    /// Evaluates a reading that is newer than <see cref="TimeMicros"/>; <paramref name="measured"/> is what is compared
    /// with the threshold.
    /// </summary>
    public AlertChange Take(long timeMicros, double value, out double measured)
    {
        Changed = true;
        return RuleStep.Take(rule, id.Series, ref _state, timeMicros, value, out measured);
    }

    /// <summary>
    /// A gap begins, or goes on, before a reading at this time is evaluated: older readings may still come. The state
    /// is its checkpoint; a state without any reading stands for <paramref name="fromMicros"/>.
    /// </summary>
    public void BeginGap(long fromMicros, long timeMicros)
    {
        Changed = true;
        Gap = Gap is { } gap ? gap with { ToMicros = Math.Max(gap.ToMicros, timeMicros) }
            : new AlertGap(
                Math.Max(fromMicros, TimeMicros), timeMicros, new AlertCheckpoint(rule.Version, _state.Plain()));
    }

    /// <summary>A reading came that is not newer than the state. Returns true if this changes the row.</summary>
    public bool Miss(long timeMicros)
    {
        if (timeMicros == TimeMicros)
        {
            return false;
        }

        Missed = true;
        var missed = new AlertGap(timeMicros - 1, timeMicros, null);
        var gap = Gap is not { } before ? missed
            : timeMicros <= before.FromMicros ? missed with { ToMicros = Math.Max(before.ToMicros, timeMicros) }
            : before with { ToMicros = Math.Max(before.ToMicros, timeMicros) };
        if (gap == Gap)
        {
            return false;
        }

        (Gap, Changed) = (gap, true);
        return true;
    }

    /// <summary>
    /// Retention may have removed readings before this time: the gap begins there, or ends if it lies before it.
    /// Returns true if there is a gap still.
    /// </summary>
    public bool KeepGapFrom(long wholeSinceMicros)
    {
        if (Gap is { } gap && gap.FromMicros < wholeSinceMicros - 1)
        {
            Gap = gap.ToMicros < wholeSinceMicros ? null : new AlertGap(wholeSinceMicros - 1, gap.ToMicros, null);
            Changed = true;
        }

        return Gap is not null;
    }

    /// <summary>A run over the stored readings begins.</summary>
    public void BeginRun() => Missed = false;

    /// <summary>
    /// A run over the stored readings has ended. Unless a reading was missed, the gap ends, or goes on as given.
    /// </summary>
    public void EndRun(RuleState state, AlertGap? rest)
    {
        (_state, Changed) = (state, true);
        Gap = Missed ? Gap : rest;
    }

    /// <summary>Returns the row to write, and marks the state as written.</summary>
    public AlertStateRow Write()
    {
        Changed = false;
        return new AlertStateRow(id, rule.Version, _state.Plain()) { Gap = Gap };
    }
}
