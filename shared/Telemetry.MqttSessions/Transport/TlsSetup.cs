using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Telemetry.MqttSessions.Transport;

/// <summary>Turns our TLS options into those of <see cref="SslStream"/>.</summary>
internal static class TlsSetup
{
    public static SslServerAuthenticationOptions ForListener(
        MqttListenerTlsOptions options, SslStreamCertificateContext certificate) => new()
        {
            ServerCertificateContext = certificate,
            ClientCertificateRequired = options.ClientCertificates != MqttClientCertificates.None,
            CertificateChainPolicy = ChainPolicy(options.TrustedAuthorities, options.VerificationTime),
            RemoteCertificateValidationCallback = (_, shown, _, errors) => shown is null
                ? options.ClientCertificates != MqttClientCertificates.Required
                : errors == SslPolicyErrors.None,
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
