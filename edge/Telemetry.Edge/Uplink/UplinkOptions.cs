namespace Telemetry.Edge.Uplink;

/// <summary>How the uplink sends. Every limit says what happens at it.</summary>
public sealed record UplinkOptions
{
    /// <summary>
    /// Frames that may wait for their PUBACK at once, 2 to 1,024; more wait. The peer's own limit counts too.
    /// </summary>
    public int InFlightMax { get; init; } = 32;

    /// <summary>
    /// How often a short hello says promise and accepted total: so old are the books' totals at most.
    /// </summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a clean stop waits for the last short hello to arrive.</summary>
    public TimeSpan GoodbyeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When frames wait unsettled for so long, a full hello asks what became of them.</summary>
    public TimeSpan UnsettledAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// When a full hello is not answered for so long it is said again; twice as long each time, up to eight times.
    /// </summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>
    /// The first pause after a broken connection or a refusal; doubled up to <see cref="BackoffMax"/>, with jitter.
    /// </summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the link may be busy with backlog beyond its least round trip: so long live data waits behind it at
    /// most. A backlog frame is cut to a part of that.
    /// </summary>
    public TimeSpan BacklogFrameTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long backlog waits for the process' first answer, which says in which version of frames it may be sealed.
    /// When none came in this time after connecting, it goes up in version 0, which every cloud reads.
    /// </summary>
    public TimeSpan VersionWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Refusals for a fault of the frame after which a tombstone takes its place.</summary>
    public int RefusalsMax { get; init; } = 3;
}
