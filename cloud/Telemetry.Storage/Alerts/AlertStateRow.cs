using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Alerts;

/// <summary>The phase of a rule on a series.</summary>
public enum AlertPhase : byte
{
    /// <summary>The condition does not hold.</summary>
    Quiet = 0,

    /// <summary>The condition holds, but not yet for as long as the rule requires.</summary>
    Pending = 1,

    /// <summary>An instance is open.</summary>
    Firing = 2,
}

/// <summary>Identifies the state of one rule on one series.</summary>
public readonly record struct AlertStateId(GatewayId Gateway, string Rule, SeriesIdentity Series);

/// <summary>
/// The database's row of one rule on one series, written in the transaction of the readings that changed it.
/// </summary>
/// <param name="Id">The rule and the series.</param>
/// <param name="RuleVersion">The version of the rule that wrote it.</param>
/// <param name="Phase">The phase of the rule.</param>
/// <param name="Instance">The open instance's id; 0 unless firing.</param>
/// <param name="StartedMicros">When the condition began to hold, by event time; 0 when quiet.</param>
/// <param name="TimeMicros">Event time of the last reading evaluated: older ones leave the state untouched.</param>
public sealed record AlertStateRow(
    AlertStateId Id, ulong RuleVersion, AlertPhase Phase, UInt128 Instance, long StartedMicros, long TimeMicros);
