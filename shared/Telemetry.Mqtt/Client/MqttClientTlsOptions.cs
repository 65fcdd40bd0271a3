using System.Security.Cryptography.X509Certificates;

namespace Telemetry.Mqtt;

/// <summary>TLS of a client.</summary>
public sealed record MqttClientTlsOptions
{
    /// <summary>Name that the server's certificate must carry. Null: the host name of the connection.</summary>
    public string? TargetHost { get; init; }

    /// <summary>The only authorities that are trusted. Null: those of the operating system.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>Certificate with private key that proves who the client is; null sends none.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>
    /// The time that certificates are checked against, for machines without a clock that can be trusted. Null: now.
    /// </summary>
    public Func<DateTimeOffset>? VerificationTime { get; init; }
}
