namespace Telemetry.Storage.Alerts;

/// <summary>What a rule remembers of earlier readings of a series; what it means depends on the kind of rule.</summary>
/// <param name="TimeMicros">An event time; 0 when nothing is remembered.</param>
/// <param name="Value">A value.</param>
public readonly record struct MeasureMemory(long TimeMicros, double Value)
{
    /// <summary>True when nothing is remembered.</summary>
    public bool IsEmpty => TimeMicros == 0;
}
