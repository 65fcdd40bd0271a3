namespace Telemetry.Edge.Uplink;

/// <summary>How the uplink sends. Every limit says what happens when it is reached.</summary>
public sealed record UplinkOptions
{
    /// <summary>
    /// How many frames may wait for their PUBACK at once, 2 to 1,024; further frames wait. The server's own limit
    /// applies too.
    /// </summary>
    public int InFlightMax { get; init; } = 32;

    /// <summary>
    /// How often a short hello reports promise and accepted total: the totals in the books view are at most this old.
    /// </summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a clean stop waits for the last short hello to arrive.</summary>
    public TimeSpan GoodbyeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When frames stay unsettled for this long, a full hello asks about them.</summary>
    public TimeSpan UnsettledAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A full hello without an answer is repeated after this time; the time doubles with each repeat, up to eight
    /// times.
    /// </summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>
    /// The first pause after a broken connection or a refusal; doubled up to <see cref="BackoffMax"/>, with jitter.
    /// </summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the link may be busy with backlog beyond its least round trip: the longest time that live data waits
    /// behind backlog. A backlog frame is limited to a part of it.
    /// </summary>
    public TimeSpan BacklogFrameTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long backlog waits for the first answer to this process, which tells the frame version in which it may be
    /// sealed. If none arrives within this time after connecting, backlog is sent in version 0, which every cloud
    /// reads.
    /// </summary>
    public TimeSpan VersionWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After this many refusals for a fault of the frame, a tombstone replaces it.</summary>
    public int RefusalsMax { get; init; } = 3;
}
