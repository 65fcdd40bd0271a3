namespace Telemetry.Storage.Alerts;

/// <summary>What a rule knows of a series after a reading.</summary>
/// <param name="Phase">The phase of the rule.</param>
/// <param name="Instance">The open instance's id; 0 unless firing.</param>
/// <param name="StartedMicros">When the condition began to hold, by event time; 0 when quiet.</param>
/// <param name="FiredMicros">When the open instance opened; 0 unless firing.</param>
/// <param name="Peak">The most extreme value since the condition began to hold; 0 when quiet.</param>
/// <param name="TimeMicros">Event time of the last reading evaluated.</param>
public readonly record struct RuleState(
    AlertPhase Phase, UInt128 Instance, long StartedMicros, long FiredMicros, double Peak, long TimeMicros)
{
    /// <summary>What the kind of rule remembers of the readings before.</summary>
    public MeasureMemory Memory { get; init; }

    /// <summary>The state before the first reading.</summary>
    public static readonly RuleState None = QuietAt(long.MinValue);

    /// <summary>The condition does not hold.</summary>
    public static RuleState QuietAt(long timeMicros) => new(AlertPhase.Quiet, 0, 0, 0, 0, timeMicros);

    /// <summary>The same state without what only counts in another phase.</summary>
    public RuleState Plain() => Phase switch
    {
        AlertPhase.Quiet => QuietAt(TimeMicros) with { Memory = Memory },
        AlertPhase.Pending => this with { Instance = 0, FiredMicros = 0 },
        _ => this,
    };
}
