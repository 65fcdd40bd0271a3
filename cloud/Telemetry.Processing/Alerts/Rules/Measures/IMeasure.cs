using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Rules.Measures;

/// <summary>
/// What a rule compares with its threshold: one class a kind of rule. Its memory of earlier readings is bounded, and
/// stored with the state of the rule.
/// </summary>
public interface IMeasure
{
    /// <summary>True when it depends on readings before the one that it measures.</summary>
    bool HasMemory { get; }

    /// <summary>How long a reading may count for later ones, beyond the next reading.</summary>
    TimeSpan Reach { get; }

    /// <summary>
    /// Takes a reading that is newer than those before it. Returns false when it measures nothing; the rule then stays
    /// as it is.
    /// </summary>
    bool TryTake(ref MeasureMemory memory, long timeMicros, double value, out double measured);

    /// <summary>Writes everything that it is made of, for the version of its rule.</summary>
    void Write(WireWriter writer);
}
