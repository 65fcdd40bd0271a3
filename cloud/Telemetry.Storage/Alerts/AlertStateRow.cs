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
/// <param name="State">The state after the last reading that was evaluated.</param>
public sealed record AlertStateRow(AlertStateId Id, ulong RuleVersion, RuleState State)
{
    /// <summary>The event times that must be evaluated again; null when there are none.</summary>
    public AlertGap? Gap { get; init; }
}
