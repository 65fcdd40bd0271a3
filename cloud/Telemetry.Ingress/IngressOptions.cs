namespace Telemetry.Ingress;

/// <summary>Limits of the ingress; each says what happens when it is reached.</summary>
public sealed record IngressOptions
{
    /// <summary>How many partitions there are, fixed at installation. Default 16.</summary>
    public int Partitions { get; init; } = 16;

    /// <summary>
    /// The most frames and schemas that may wait for the log at once. A further one waits for its turn, and its PUBACK
    /// is withheld. Default 512: with frames of at most 64 KiB no more than 32 MiB are under way.
    /// </summary>
    public int AppendsInFlightMax { get; init; } = 512;

    /// <summary>
    /// The schemas per second that a gateway may send. Twice as many may arrive at once; a further one waits, and its
    /// PUBACK is withheld. Default 500: a part of what a partition can register (docs/benchmarks/hostile.md), and a
    /// thousand series that were added one by one are accepted at once in LIVE.
    /// </summary>
    public int SchemasPerSecond { get; init; } = 500;

    /// <summary>
    /// The most sessions of one gateway at once, each with a client id of its own; one more closes the gateway's
    /// oldest. An agent has one. Default 4.
    /// </summary>
    public int SessionsPerGatewayMax { get; init; } = 4;

    /// <summary>
    /// How long a PUBACK is withheld while the log is out of reach; then the frame is refused with 0x83. Default 20 s:
    /// shorter than the log's duplicate window, so that the log still knows a repeated message id.
    /// </summary>
    public TimeSpan AppendPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The pause after the first failed append; it doubles with each further one. Default 100 ms.</summary>
    public TimeSpan AppendRetryFirst { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause between two appends. Default 2 s.</summary>
    public TimeSpan AppendRetryLargest { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The most messages kept for a session that accepts no more; one more drops the oldest, which is counted (the next
    /// hello makes up for it). Default 8.
    /// </summary>
    public int DownMessagesMax { get; init; } = 8;

    /// <summary>
    /// The most bytes kept for such a session; beyond it the oldest messages are dropped, but never the newest. Default
    /// 1 MiB.
    /// </summary>
    public int DownBytesMax { get; init; } = 1024 * 1024;

    /// <summary>How often kept messages are offered to the session again. Default 100 ms.</summary>
    public TimeSpan DownRetryInterval { get; init; } = TimeSpan.FromMilliseconds(100);
}
