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

    /// <summary>
    /// When a frame's promise is older than its reading by more than this, older readings may still come: a gap begins,
    /// and the rule is run again once the watermark has passed it. A shorter time would take for a gap what only waits
    /// for the agent's next commit.
    /// </summary>
    public TimeSpan GapMin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// While a gap does not end, because a link fails again and again, the rule is run again whenever the watermark has
    /// moved on by this much.
    /// </summary>
    public TimeSpan GapStep { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long before a missed reading that lies in no gap a rule is run again, besides its <c>for</c>, to find what
    /// was pending then. A series with fewer readings than one in this time may lose the beginning of it.
    /// </summary>
    public TimeSpan LookBack { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long one transaction may run rules again. The rest follows in the next transactions, before the result of a
    /// gateway is published.
    /// </summary>
    public TimeSpan RunTime { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The most readings that are read back at once to run rules again.</summary>
    public int RunReadingsMax { get; init; } = 30_000;

    /// <summary>
    /// The most instances that one run finds for one pair. Beyond it they are counted, not published, except the one
    /// that is open at the end.
    /// </summary>
    public int InstancesPerRunMax { get; init; } = 1_000;
}
