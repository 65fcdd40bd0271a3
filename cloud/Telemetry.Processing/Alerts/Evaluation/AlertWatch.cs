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
/// One rule on one series: its state, advanced by readings in event time. Used on the processor's thread; discarded
/// with the gateway's memory when a transaction did not commit.
/// </summary>
internal sealed class AlertWatch(AlertRule rule, AlertStateId id)
{
    private AlertPhase _phase;

    public AlertRule Rule => rule;

    public AlertStateId Id => id;

    /// <summary>The instance that is open, or that was closed last.</summary>
    public UInt128 Instance { get; private set; }

    /// <summary>When the condition of that instance, or of the pending one, began to hold.</summary>
    public long StartedMicros { get; private set; }

    /// <summary>Event time of the last reading evaluated.</summary>
    public long TimeMicros { get; private set; } = long.MinValue;

    /// <summary>True when the row must be written.</summary>
    public bool Changed { get; private set; }

    /// <summary>Instances published since the frame began.</summary>
    public int Opened { get; set; }

    /// <summary>An instance's beginning that is published only if it is still open when the frame ends.</summary>
    public AlertTransition? Held { get; set; }

    /// <summary>
    /// Loads the state from the database. If the rule was changed meanwhile, an open instance is kept and judged by the
    /// new rule; a pending condition of the old rule is discarded.
    /// </summary>
    public void Load(AlertStateRow row)
    {
        TimeMicros = row.TimeMicros;
        if (row.Phase == AlertPhase.Firing || (row.Phase == AlertPhase.Pending && row.RuleVersion == rule.Version))
        {
            (_phase, Instance, StartedMicros) = (row.Phase, row.Instance, row.StartedMicros);
        }
    }

    /// <summary>Evaluates a reading that is newer than <see cref="TimeMicros"/>.</summary>
    public AlertChange Take(long timeMicros, double value)
    {
        (TimeMicros, Changed) = (timeMicros, true);
        if (_phase == AlertPhase.Firing)
        {
            if (!rule.Clears(value))
            {
                return AlertChange.None;
            }

            _phase = AlertPhase.Quiet;
            return AlertChange.Resolved;
        }

        if (!rule.Meets(value))
        {
            _phase = AlertPhase.Quiet;
            return AlertChange.None;
        }

        if (_phase == AlertPhase.Quiet)
        {
            (_phase, StartedMicros) = (AlertPhase.Pending, timeMicros);
        }

        if (timeMicros - StartedMicros < rule.ForMicros)
        {
            return AlertChange.None;
        }

        _phase = AlertPhase.Firing;
        Instance = AlertIds.Instance(rule.Name, id.Series, StartedMicros);
        return AlertChange.Fired;
    }

    /// <summary>Returns the row to write, and marks the state as written.</summary>
    public AlertStateRow Write()
    {
        Changed = false;
        return new AlertStateRow(
            id,
            rule.Version,
            _phase,
            _phase == AlertPhase.Firing ? Instance : 0,
            _phase == AlertPhase.Quiet ? 0 : StartedMicros,
            TimeMicros);
    }
}
