using System.Security.Cryptography.X509Certificates;

namespace Telemetry.MqttSessions;

/// <summary>Whether clients show a certificate.</summary>
public enum MqttClientCertificates
{
    /// <summary>None is asked for.</summary>
    None,
    /// <summary>
    /// One is asked for; a client without one is let through to the application, a wrong one is refused.
    /// </summary>
    Optional,
    /// <summary>A client without a valid one is refused in the TLS handshake.</summary>
    Required,
}

/// <summary>TLS of a listener.</summary>
public sealed record MqttListenerTlsOptions
{
    /// <summary>The server's certificate with its private key.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>Certificates between <see cref="Certificate"/> and its root, sent along. Default none.</summary>
    public X509Certificate2Collection? Intermediates { get; init; }

    /// <summary>Whether clients show a certificate. Default none.</summary>
    public MqttClientCertificates ClientCertificates { get; init; }

    /// <summary>
    /// The only authorities whose client certificates are trusted. Null: those of the operating system.
    /// </summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>The time that client certificates are checked against. Null: now.</summary>
    public Func<DateTimeOffset>? VerificationTime { get; init; }
}
