namespace Telemetry.Processing.Alerts.Rules;

/// <summary>Which rules a processor evaluates, and within which limits.</summary>
public sealed record AlertOptions
{
    /// <summary>The rules; none unless a rules file is configured.</summary>
    public AlertRules Rules { get; init; } = AlertRules.None;

    /// <summary>
    /// The most pairs of rule and series watched for one gateway. Further pairs are not watched; this is counted and
    /// logged. Each pair costs a row in the database that every frame with readings of its series writes.
    /// </summary>
    public int WatchesMax { get; init; } = 4_096;

    /// <summary>
    /// The most instances that one frame may open for one pair. Beyond it, instances that open and close within the
    /// frame are only counted, not published; an instance that is open at the end of the frame is always published. So
    /// a value that oscillates cannot flood Kafka, and the last published state is true.
    /// </summary>
    public int InstancesPerFrameMax { get; init; } = 8;

    /// <summary>
    /// How far a reading may be dated ahead of its arrival in the log. A reading beyond that is counted and not
    /// evaluated: if a state took it, no reading before that time could change the state.
    /// </summary>
    public TimeSpan AheadMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The number of transitions at which a transaction takes no further messages; the rest waits for the next one.
    /// </summary>
    public int TransitionsPerCommitMax { get; init; } = 10_000;
}
