namespace Telemetry.Ingress.Access;

/// <summary>
/// How passwords are checked. Keys: section <c>ingress.passwords</c>. Each limit says what happens at it.
/// </summary>
public sealed record PasswordOptions
{
    /// <summary>
    /// Threads that check passwords, each at most one core: what an attack can take of the machine. Default 0: half of
    /// the cores, at least one.
    /// </summary>
    public int Workers { get; init; }

    /// <summary>
    /// Checks that may wait in all; one more is refused with 0x89 (server busy) and the gateway tries again. Default
    /// 512: with one worker that is about as much work as a gateway waits for its CONNACK.
    /// </summary>
    public int WaitingMax { get; init; } = 512;

    /// <summary>
    /// Checks of one sender (see <see cref="PasswordSender"/>) that may wait; one more is refused unchecked. Default 4.
    /// </summary>
    public int WaitingPerSenderMax { get; init; } = 4;

    /// <summary>Wrong passwords of one sender before the first pause. Default 3.</summary>
    public int FailuresFree { get; init; } = 3;

    /// <summary>
    /// The first pause: in it a sender's attempts are refused unchecked. It doubles with each further wrong password.
    /// Default 1 s.
    /// </summary>
    public TimeSpan PauseFirst { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest pause. A sender that stays quiet for as long after its last pause begins anew. Default 1 min.
    /// </summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Senders whose failures are remembered; with one more the one that failed longest ago is forgotten, which costs
    /// checks, never a gateway's admission. Default 16,384.
    /// </summary>
    public int SendersMax { get; init; } = 16 * 1024;

    /// <summary>
    /// A refusal is not said sooner after the attempt: so its time does not tell a wrong password from an unknown
    /// gateway or from an attempt that was not checked. Default 1 s.
    /// </summary>
    public TimeSpan RefuseAfter { get; init; } = TimeSpan.FromSeconds(1);
}
