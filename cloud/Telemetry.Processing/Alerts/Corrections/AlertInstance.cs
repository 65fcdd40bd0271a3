namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>An instance as a run in the order of event time finds it.</summary>
/// <param name="Id">The id that it has if no published instance is the same.</param>
/// <param name="BeganMicros">When its condition began to hold.</param>
/// <param name="FiredMicros">When it opened.</param>
/// <param name="FiringValue">The value with which it opened; its peak if it opened before the run.</param>
/// <param name="EndedMicros">When it ended; null if it is open at the end of the run.</param>
/// <param name="EndValue">The value with which it ended.</param>
/// <param name="Peak">The most extreme value between.</param>
internal sealed record AlertInstance(
    UInt128 Id, long BeganMicros, long FiredMicros, double FiringValue, long? EndedMicros, double EndValue,
    double Peak);
