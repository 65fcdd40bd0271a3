using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Alerts;

/// <summary>What is known of an alert instance.</summary>
public enum AlertInstanceState : byte
{
    /// <summary>It is open.</summary>
    Firing = 0,

    /// <summary>It is closed.</summary>
    Resolved = 1,

    /// <summary>Readings that came later showed that there was none.</summary>
    Retracted = 2,
}

/// <summary>
/// The history's row of one instance: one interval of one rule on one series. Of a row that exists, the severity, and
/// how it was published first (<see cref="NamedMicros"/>, <see cref="IsLate"/>, <see cref="DelayMicros"/>), stay as
/// they are.
/// </summary>
/// <param name="Id">The id of its first publication.</param>
/// <param name="Of">The rule and the series.</param>
/// <param name="RuleVersion">The version of the rule that judged it last.</param>
/// <param name="Severity">The severity of its first publication.</param>
/// <param name="State">What is known of it.</param>
/// <param name="BeganMicros">When its condition began to hold.</param>
/// <param name="FiredMicros">When it had held for as long as the rule requires.</param>
/// <param name="EndedMicros">When it ended; null while it is open.</param>
/// <param name="Peak">The most extreme value between.</param>
public sealed record AlertRow(
    UInt128 Id, AlertStateId Of, ulong RuleVersion, string Severity, AlertInstanceState State, long BeganMicros,
    long FiredMicros, long? EndedMicros, double Peak)
{
    /// <summary>When it began as it was published first: its id is made of this.</summary>
    public long NamedMicros { get; init; }

    /// <summary>True when nobody was paged for its beginning.</summary>
    public bool IsLate { get; init; }

    /// <summary>From its beginning to its detection.</summary>
    public long DelayMicros { get; init; }

    /// <summary>How often it was corrected.</summary>
    public int Revision { get; init; }

    /// <summary>
    /// Which contents its corrections had: one bit each, by a hash. A content that may have been published before needs
    /// another id.
    /// </summary>
    public ulong Said { get; init; }

    /// <summary>The row after another one for the same instance is written.</summary>
    public AlertRow Then(AlertRow next) => next with
    {
        Severity = Severity,
        NamedMicros = NamedMicros,
        IsLate = IsLate,
        DelayMicros = DelayMicros,
        Revision = Math.Max(Revision, next.Revision),
        Said = Said | next.Said,
    };

    /// <summary>The gateway that the series belongs to.</summary>
    public GatewayId Gateway => Of.Gateway;

    /// <summary>The series.</summary>
    public SeriesIdentity Series => Of.Series;
}
