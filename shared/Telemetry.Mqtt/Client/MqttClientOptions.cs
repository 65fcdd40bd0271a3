namespace Telemetry.Mqtt;

/// <summary>How a client connects. One client is one connection.</summary>
public sealed record MqttClientOptions
{
    /// <summary>Name or address of the server.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port. Default 1883; 8883 is usual with TLS.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>Who this client is; one connection at a time may use it.</summary>
    public required string ClientId { get; init; }

    /// <summary>User name; null sends none.</summary>
    public string? UserName { get; init; }

    /// <summary>Password bytes, at most 65,535; null sends none.</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }

    /// <summary>User properties of the CONNECT. Default none.</summary>
    public IReadOnlyList<MqttUserProperty> UserProperties { get; init; } = [];

    /// <summary>
    /// Silence, in one direction, after which a PINGREQ is sent; whole seconds up to 18 hours, zero sends none. The
    /// server closes after 1.5 times this, and may ask for another value. Default 30 s.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After a PINGREQ: time in which something must move (bytes arrive, or ours are taken); then closed. Default 10 s.
    /// </summary>
    public TimeSpan PingResponseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time for TCP and TLS together, and again for the CONNACK; then the attempt fails. Default 10 s.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Upper limit of bytes that wait unsent in the socket (TCP_NOTSENT_LOWAT, Linux only), so that what is published
    /// next does not queue behind megabytes in the kernel. It also bounds how much is written at once. Null: unlimited.
    /// </summary>
    public int? SocketUnsentBytesMax { get; init; }

    /// <summary>TLS; null speaks plain TCP.</summary>
    public MqttClientTlsOptions? Tls { get; init; }

    /// <summary>
    /// Limits of this session. The queued ones bound publishes that wait for the server's Receive Maximum; beyond them
    /// a publish fails at once with an <see cref="InvalidOperationException"/>.
    /// </summary>
    public MqttSessionLimits Limits { get; init; } = new();

    /// <summary>
    /// Lets what awaits a result go on inside of the reading loop, so that a one-thread simulation replays. Default
    /// false: a caller that blocks must not hold up the connection.
    /// </summary>
    internal bool AllowSynchronousContinuations { get; init; }

    /// <exception cref="ArgumentException">Names the option that is out of range.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Host);
        ArgumentException.ThrowIfNullOrEmpty(ClientId);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Port, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepAlive, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeepAlive, TimeSpan.FromSeconds(ushort.MaxValue));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PingResponseTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        if (SocketUnsentBytesMax is { } unsent)
            ArgumentOutOfRangeException.ThrowIfLessThan(unsent, 1024, nameof(SocketUnsentBytesMax));
        if (Password is { } password)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(password.Length, ushort.MaxValue, nameof(Password));
        Topics.WireText.Check(ClientId, nameof(ClientId));
        Topics.WireText.Check(UserName, nameof(UserName));
        Topics.WireText.Check(UserProperties);
        Limits.Validate();
    }
}
