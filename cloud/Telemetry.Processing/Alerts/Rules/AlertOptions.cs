namespace Telemetry.Processing.Alerts.Rules;

/// <summary>What a processor evaluates, and within which limits.</summary>
public sealed record AlertOptions
{
    /// <summary>The rules; none unless a rules file is named.</summary>
    public AlertRules Rules { get; init; } = AlertRules.None;

    /// <summary>
    /// Pairs of rule and series watched of one gateway; further ones are not watched, which is counted and logged. Each
    /// costs a row in the database that every frame with readings of its series writes.
    /// </summary>
    public int WatchesMax { get; init; } = 4_096;

    /// <summary>
    /// Instances that one frame may open on one pair. Beyond, those that open and close within the frame are not
    /// published, only counted; one that is open at the frame's end always is. So a flapping value cannot flood Kafka,
    /// and what is published last is true.
    /// </summary>
    public int InstancesPerFrameMax { get; init; } = 8;

    /// <summary>
    /// How far a reading may be dated ahead of its arrival in the log. One beyond says nothing to any rule and is
    /// counted: a state that took it would leave all readings untouched until that time.
    /// </summary>
    public TimeSpan AheadMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Transitions at which a transaction takes no further messages; the rest waits for the next.</summary>
    public int TransitionsPerCommitMax { get; init; } = 10_000;
}
