namespace Telemetry.Streams.JetStream;

/// <summary>
/// What the log's streams are to be. The same for every process of one installation: who starts last sets them. A
/// nats-server before 2.10.5 (its pull request 4772) weighs a new message against the byte limit without its record's
/// overhead (some 60 bytes): one that fits by that alone pushes out the oldest message. Nothing is lost by it, since
/// what is not stored is held at the edge and sent again; but leave streams the room that keeps them from being full.
/// </summary>
public sealed record JetStreamFrameLogOptions
{
    /// <summary>
    /// Bytes that each LIVE stream holds at most; then frames are refused with 0x97. Default 256 MiB.
    /// </summary>
    public long LiveBytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Bytes that each BACKLOG stream holds at most; then frames are refused with 0x97. Default 512 MiB.
    /// </summary>
    public long BacklogBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>How long messages are kept for replay. Default 7 days.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// For how long the log swallows a repeated message id. Default 2 min: longer than the ingress repeats one, as
    /// short as may be, since the server keeps the ids in memory.
    /// </summary>
    public TimeSpan DuplicateWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Copies in a cluster, 1 to 5. Default 1, which is all that a single server can keep.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Messages that a reader fetches ahead at most. Default 1024.</summary>
    public int ReadAheadMessages { get; init; } = 1024;

    /// <summary>Bytes that a reader fetches ahead at most. Default 4 MiB.</summary>
    public int ReadAheadBytes { get; init; } = 4 * 1024 * 1024;
}
