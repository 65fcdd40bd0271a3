using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.Mqtt.Transport;

/// <summary>Turns our TLS options into those of <see cref="SslStream"/>.</summary>
internal static class TlsSetup
{
    public static SslClientAuthenticationOptions ForClient(MqttClientTlsOptions options, string host) => new()
    {
        TargetHost = options.TargetHost ?? host,
        ClientCertificates = options.ClientCertificate is null ? null : [options.ClientCertificate],
        CertificateChainPolicy = ChainPolicy(options.TrustedAuthorities, options.VerificationTime),
    };

    private static X509ChainPolicy ChainPolicy(X509Certificate2Collection? authorities, Func<DateTimeOffset>? time)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (authorities is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }
        if (time is not null)
        {
            policy.VerificationTimeIgnored = false;
            policy.VerificationTime = time().UtcDateTime.ToLocalTime();
        }
        return policy;
    }
}
