namespace Telemetry.Ingress.Access;

/// <summary>
/// How passwords are checked. Keys: section <c>ingress.passwords</c>. Each limit says what happens when it is reached.
/// </summary>
public sealed record PasswordOptions
{
    /// <summary>
    /// The threads that check passwords, each at most one core: the part of the machine that an attack can use. Default
    /// 0: half of the cores, at least one.
    /// </summary>
    public int Workers { get; init; }

    /// <summary>
    /// The most checks that may wait in all; a further one is refused with 0x89 (server busy), and the gateway tries
    /// again. Default 512: with one worker, about as much work as fits into the time that a gateway waits for its
    /// CONNACK.
    /// </summary>
    public int WaitingMax { get; init; } = 512;

    /// <summary>
    /// The most checks of one sender (see <see cref="PasswordSender"/>) that may wait; a further one is refused
    /// unchecked. Default 4.
    /// </summary>
    public int WaitingPerSenderMax { get; init; } = 4;

    /// <summary>Wrong passwords of one sender before the first pause. Default 3.</summary>
    public int FailuresFree { get; init; } = 3;

    /// <summary>
    /// The first pause, in which a sender's attempts are refused unchecked. It doubles with each further wrong
    /// password. Default 1 s.
    /// </summary>
    public TimeSpan PauseFirst { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest pause. After this time without an attempt since its last pause, a sender's failures are forgotten.
    /// Default 1 min.
    /// </summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The most senders whose failures are remembered. One more makes the one that failed longest ago forgotten, which
    /// costs checks, but never lets a wrong password in. Default 16,384.
    /// </summary>
    public int SendersMax { get; init; } = 16 * 1024;

    /// <summary>
    /// A refusal is not sent earlier than this after the attempt, so that its time does not distinguish a wrong
    /// password from an unknown gateway or from an attempt that was not checked. Default 1 s.
    /// </summary>
    public TimeSpan RefuseAfter { get; init; } = TimeSpan.FromSeconds(1);
}
