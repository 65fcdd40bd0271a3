using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>What a reading did to a rule's state.</summary>
internal enum AlertChange
{
    None,
    Fired,
    Resolved,
}

/// <summary>
/// One rule on one series: its state, advanced by readings in event time. One thread, the processor's; it goes with the
/// gateway's memory when a transaction did not happen.
/// </summary>
internal sealed class AlertWatch(AlertRule rule, AlertStateId id)
{
    private AlertPhase _phase;

    public AlertRule Rule => rule;

    public AlertStateId Id => id;

    /// <summary>The instance that is open, or was closed last.</summary>
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
    /// Takes the state from the database. A rule that was changed meanwhile goes on with an open instance and judges it
    /// by what it says now; what was pending under its old words is not.
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

    /// <summary>The row to write; nothing is left to write then.</summary>
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
