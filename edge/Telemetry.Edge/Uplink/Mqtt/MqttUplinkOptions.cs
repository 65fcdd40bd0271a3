namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>How an agent connects. Keys: section <c>uplink</c> of its configuration.</summary>
public sealed record MqttUplinkOptions
{
    /// <summary>Name or address of ingress or broker. Key <c>host</c>, required.</summary>
    public required string Host { get; init; }

    /// <summary>Its port. Default 1883, with TLS 8883.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>User name; empty (default): the gateway's id.</summary>
    public string User { get; init; } = "";

    /// <summary>
    /// Password; key <c>password</c>, or <c>passwordFile</c> (a file that contains only the password). Empty: none is
    /// sent.
    /// </summary>
    public string Password { get; init; } = "";

    /// <summary>True: TLS. Default false.</summary>
    public bool Tls { get; init; }

    /// <summary>
    /// PEM file of the only authorities that are trusted; empty (default): those of the operating system.
    /// </summary>
    public string AuthorityFile { get; init; } = "";

    /// <summary>
    /// PEM files of the certificate and the key that authenticate the gateway; empty (default): none.
    /// </summary>
    public string CertificateFile { get; init; } = "";

    /// <inheritdoc cref="CertificateFile"/>
    public string KeyFile { get; init; } = "";

    /// <summary>The name that the server's certificate must contain; empty (default): <see cref="Host"/>.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>Silence after which a PINGREQ is sent. Default 30 s.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time that connecting may take. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The most unsent bytes in the socket (TCP_NOTSENT_LOWAT), so that live data never queues behind backlog in the
    /// kernel. Default 64 KiB; at the limit writing waits.
    /// </summary>
    public int UnsentBytesMax { get; init; } = 64 * 1024;
}
