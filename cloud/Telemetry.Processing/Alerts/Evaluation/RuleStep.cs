using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>How a reading changed a rule's state.</summary>
internal enum AlertChange
{
    None,
    Fired,
    Resolved,
}

/// <summary>
/// The definition of a rule: state in, reading in, transition out. Live readings and a run over stored ones use the
/// same code.
/// </summary>
internal static class RuleStep
{
    /// <summary>
    /// Evaluates a reading that is newer than the state; <paramref name="measured"/> is what is compared with the
    /// threshold.
    /// </summary>
    public static AlertChange Take(
        AlertRule rule, SeriesIdentity series, ref RuleState state, long timeMicros, double value, out double measured)
    {
        var memory = state.Memory;
        var isMeasured = rule.Measure.TryTake(ref memory, timeMicros, value, out measured);
        state = state with { TimeMicros = timeMicros, Memory = memory };
        return isMeasured ? Take(rule, series, ref state, timeMicros, measured) : AlertChange.None;
    }

    private static AlertChange Take(
        AlertRule rule, SeriesIdentity series, ref RuleState state, long timeMicros, double value)
    {
        if (state.Phase == AlertPhase.Firing)
        {
            if (!rule.Clears(value))
            {
                state = state with { Peak = rule.Worst(state.Peak, value) };
                return AlertChange.None;
            }

            state = state with { Phase = AlertPhase.Quiet };
            return AlertChange.Resolved;
        }

        if (!rule.Meets(value))
        {
            state = state with { Phase = AlertPhase.Quiet };
            return AlertChange.None;
        }

        state = state.Phase == AlertPhase.Quiet
            ? state with { Phase = AlertPhase.Pending, StartedMicros = timeMicros, Peak = value }
            : state with { Peak = rule.Worst(state.Peak, value) };
        if (timeMicros - state.StartedMicros < rule.ForMicros)
        {
            return AlertChange.None;
        }

        state = state with
        {
            Phase = AlertPhase.Firing,
            Instance = AlertIds.Instance(rule.Name, series, state.StartedMicros),
            FiredMicros = timeMicros,
        };
        return AlertChange.Fired;
    }

    /// <summary>
    /// The state of a rule from the state of that version: an open instance is kept and judged by the new rule, what
    /// was pending or remembered under another version is not any more.
    /// </summary>
    public static RuleState Load(AlertRule rule, ulong version, RuleState state) =>
        version == rule.Version ? state
            : state.Phase == AlertPhase.Pending ? RuleState.QuietAt(state.TimeMicros)
            : state with { Memory = default };

    /// <summary>The value of a reading; false for one that says nothing: null, bad, or NaN.</summary>
    public static bool TryValue(MetricType type, ReadingFlags flags, ulong bits, out double value)
    {
        value = type switch
        {
            MetricType.Float => BitConverter.UInt64BitsToDouble(bits),
            MetricType.Int => (long)bits,
            _ => bits,
        };
        return (flags & ReadingFlags.Null) == 0 && (Quality)(flags & ReadingFlags.QualityMask) < Quality.Bad
            && !double.IsNaN(value);
    }
}
