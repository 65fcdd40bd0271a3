using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>How the server is verified, and the client certificate.</summary>
internal sealed record MqttTls
{
    /// <summary>The name that the server's certificate must contain. Null: the host name of the connection.</summary>
    public string? TargetHost { get; init; }

    /// <summary>The only authorities that are trusted. Null: those of the operating system.</summary>
    public X509Certificate2Collection? TrustedAuthorities { get; init; }

    /// <summary>Certificate with private key that authenticates the gateway; null sends none.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>
    /// The time against which certificates are checked, for machines without a reliable clock. Null: now.
    /// </summary>
    public Func<DateTimeOffset>? VerificationTime { get; init; }

    /// <summary>Reads the files that the options name.</summary>
    public static MqttTls Read(MqttUplinkOptions options)
    {
        X509Certificate2Collection? authorities = null;
        if (options.AuthorityFile.Length > 0)
        {
            authorities = [];
            authorities.ImportFromPemFile(options.AuthorityFile);
        }

        return new MqttTls
        {
            TargetHost = options.ServerName.Length > 0 ? options.ServerName : null,
            TrustedAuthorities = authorities,
            ClientCertificate = options.CertificateFile.Length > 0
                ? X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile)
                : null,
        };
    }

    /// <summary>The options of <see cref="SslStream"/> for a connection to that host.</summary>
    public SslClientAuthenticationOptions For(string host) => new()
    {
        TargetHost = TargetHost ?? host,
        ClientCertificates = ClientCertificate is null ? null : [ClientCertificate],
        CertificateChainPolicy = ChainPolicy(),
    };

    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (TrustedAuthorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(TrustedAuthorities);
        }

        if (VerificationTime is not null)
        {
            policy.VerificationTimeIgnored = false;
            policy.VerificationTime = VerificationTime().UtcDateTime.ToLocalTime();
        }

        return policy;
    }
}
