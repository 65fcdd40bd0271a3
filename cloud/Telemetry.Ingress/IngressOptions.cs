namespace Telemetry.Ingress;

/// <summary>Limits and patience of the ingress; each says what happens when it is reached.</summary>
public sealed record IngressOptions
{
    /// <summary>How many partitions there are, fixed at installation. Default 16.</summary>
    public int Partitions { get; init; } = 16;

    /// <summary>
    /// Frames and schemas that may wait for the log at once; a further one waits for a place, its PUBACK is withheld.
    /// Default 512: with frames of at most 64 KiB no more than 32 MiB are under way.
    /// </summary>
    public int AppendsInFlightMax { get; init; } = 512;

    /// <summary>
    /// Schemas that a gateway may bring a second. Twice as many may come at once; a further one waits, its PUBACK is
    /// withheld. Default 500: a part of what a partition can register (docs/benchmarks/hostile.md), and a thousand
    /// series that came one by one are taken at once in LIVE.
    /// </summary>
    public int SchemasPerSecond { get; init; } = 500;

    /// <summary>
    /// Sessions that a gateway may have at once, with client ids of its own; with one more its oldest is closed. An
    /// agent has one. Default 4.
    /// </summary>
    public int SessionsPerGatewayMax { get; init; } = 4;

    /// <summary>
    /// How long a PUBACK is withheld while the log is out of reach; then the frame is refused with 0x83. Default 20 s:
    /// shorter than the log's duplicate window, so that a repeated message id is still known there.
    /// </summary>
    public TimeSpan AppendPatience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The pause after the first failed append; it doubles with each further one. Default 100 ms.</summary>
    public TimeSpan AppendRetryFirst { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause between two appends. Default 2 s.</summary>
    public TimeSpan AppendRetryLargest { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Messages kept for a session that takes no more; with one more the oldest is dropped and counted (the next hello
    /// heals that). Default 8.
    /// </summary>
    public int DownMessagesMax { get; init; } = 8;

    /// <summary>
    /// Bytes kept for such a session; beyond it the oldest are dropped, but never the newest. Default 1 MiB.
    /// </summary>
    public int DownBytesMax { get; init; } = 1024 * 1024;

    /// <summary>How often kept messages are offered again. Default 100 ms.</summary>
    public TimeSpan DownRetryInterval { get; init; } = TimeSpan.FromMilliseconds(100);
}
