namespace Telemetry.Streams.JetStream;

/// <summary>
/// The configuration of the log's streams. It must be the same for every process of one installation: the process that
/// starts last sets it. A nats-server before 2.10.5 (its pull request 4772) counts a new message against the byte limit
/// without its record's overhead (about 60 bytes): a message that only fits by this error removes the oldest one.
/// Nothing is lost, since the edge holds what is not stored and sends it again; but give streams enough room that they
/// do not fill up.
/// </summary>
public sealed record JetStreamFrameLogOptions
{
    /// <summary>The most bytes of each LIVE stream; beyond it frames are refused with 0x97. Default 256 MiB.</summary>
    public long LiveBytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// The most bytes of each BACKLOG stream; beyond it frames are refused with 0x97. Default 512 MiB.
    /// </summary>
    public long BacklogBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>How long messages are kept for replay. Default 7 days.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// How long the log discards a repeated message id. Default 2 min: longer than the ingress repeats one, and
    /// otherwise as short as possible, since the server keeps the ids in memory.
    /// </summary>
    public TimeSpan DuplicateWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Copies in a cluster, 1 to 5. Default 1, the only number that a single server supports.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>The most messages that a reader fetches ahead. Default 1024.</summary>
    public int ReadAheadMessages { get; init; } = 1024;

    /// <summary>The most bytes that a reader fetches ahead. Default 4 MiB.</summary>
    public int ReadAheadBytes { get; init; } = 4 * 1024 * 1024;
}
