using System.Net;

namespace Telemetry.Inputs.Http;

/// <summary>
/// How line protocol is taken by HTTP. Keys: section <c>http</c> of the agent's configuration; without it nothing
/// listens.
/// </summary>
public sealed record HttpInputOptions : IInputOptions
{
    /// <summary>Address to listen on. Default 127.0.0.1.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port. Default 8086, InfluxDB's.</summary>
    public int Port { get; init; } = 8086;

    /// <summary>
    /// Who may write. From <c>tokenFile</c> (lines <c>NAME:TOKEN</c>) and <c>token</c> (one token of the name
    /// <c>default</c>, meant for the environment). None: everybody, and then <c>address</c> must be the loopback or
    /// <c>anonymous</c> true.
    /// </summary>
    public AccessTokens Tokens { get; init; } = AccessTokens.None;

    /// <summary>PEM files of certificate and key; empty (default): plain HTTP.</summary>
    public string CertificateFile { get; init; } = "";

    /// <inheritdoc cref="CertificateFile"/>
    public string KeyFile { get; init; } = "";

    /// <summary>
    /// The tag whose value is the device. Default <c>device</c>; without it <c>host</c>, else the gateway's name.
    /// </summary>
    public string DeviceTag { get; init; } = "device";

    /// <summary>Within which time readings want to be durable, and so be answered. Default 1 s.</summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a request waits for its commit; then 503, the outcome unknown. Default 30 s.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest that a body may take to arrive; then 408. Default 30 s.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest that a request's head may take to arrive; then 408. Default 10 s.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may idle between requests before it is closed. Default 2 min.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The most bytes of a body, also after it is inflated; beyond them 413. Default 8 MiB.</summary>
    public int BodyBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The most bytes of all bodies in memory together; at it 429. Default 32 MiB.</summary>
    public int BodiesBytesMax { get; init; } = 32 * 1024 * 1024;

    /// <summary>The most bytes of one line; a longer one is an error of that line. Default 64 KiB.</summary>
    public int LineBytesMax { get; init; } = 64 * 1024;

    /// <summary>The most bytes of a request's head; beyond them 431. Default 16 KiB.</summary>
    public int HeadBytesMax { get; init; } = 16 * 1024;

    /// <summary>The most connections; one more is answered 503 and closed. Default 64.</summary>
    public int ConnectionsMax { get; init; } = 64;

    /// <summary>
    /// The most entries of the cache from line heads and field keys to series, about 150 bytes each; at it the cache
    /// begins anew. Default 65,536.
    /// </summary>
    public int SeriesCacheMax { get; init; } = 64 * 1024;

    /// <summary>
    /// Within which time a body that a token sends again without an Idempotency-Key is answered from memory and not
    /// stored a second time: for senders that repeat a batch when its answer was lost (Telegraf). It counts where every
    /// line has its own time; a body with a line that has none is stored as often as it comes, since each time it is a
    /// new reading. The memory is that of the keys (<c>outbox.requestsMax</c>): at the bound the oldest are forgotten
    /// early, or, where <c>outbox.requestsFull</c> is <c>refuse</c>, bodies without a key are stored without being
    /// remembered. Default 0 s: off, as it fills that memory with requests whose senders may never repeat them.
    /// </summary>
    public TimeSpan RepeatWindow { get; init; } = TimeSpan.Zero;

    public IInput Create(InputContext context) =>
        new HttpInput(this, context.Gateway, context.Journal, context.Time, context.Log);

    public IEnumerable<string> StartProblems() => HttpStartCheck.Problems(this);
}
