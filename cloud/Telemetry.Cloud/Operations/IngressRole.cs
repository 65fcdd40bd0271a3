using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Ingress;
using Telemetry.Model.Control;
using Telemetry.Mqtt;

namespace Telemetry.Cloud.Operations;

/// <summary>Makes the ingress that the settings describe.</summary>
internal static class IngressRole
{
    /// <summary>What a packet holds beside a hello of the greatest size: topic and properties.</summary>
    private const int PacketOverheadBytes = 16 * 1024;

    public static MqttIngress Make(
        CloudSettings settings, IngressCore core, IngressCounters counters, TimeProvider time, ILogger logger)
    {
        var options = new MqttListenerOptions
        {
            Address = settings.MqttEndPoint.Address,
            Port = settings.MqttEndPoint.Port,
            ConnectionsMax = settings.ConnectionsMax,
            Tls = Tls(settings.Access, time),
            Limits = new MqttSessionLimits
            {
                PacketBytesMax = Hello.BytesMax + PacketOverheadBytes,
                InFlightBytesMax = 2 * 1024 * 1024,
            },
        };
        var passwords = settings.Access.PasswordFile is { } file
            ? new PasswordFile(file, settings.Access.PlainPasswords, time, logger)
            : null;
        return new MqttIngress(
            options,
            core,
            new GatewayGate(passwords is null ? null : passwords.Current),
            counters,
            settings.StopWithin / 2,
            time,
            logger);
    }

    /// <summary>TLS as configured; null for plain TCP. Reads the files.</summary>
    public static MqttListenerTlsOptions? Tls(AccessSettings access, TimeProvider time)
    {
        if (access.Certificate is not { } certificate)
        {
            return null;
        }

        // The file may hold the chain: the first one is ours, the others are sent along.
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificate);
        chain.RemoveAt(0);
        X509Certificate2Collection? authorities = null;
        if (access.ClientAuthorities is { } file)
        {
            authorities = [];
            authorities.ImportFromPemFile(file);
        }

        return new MqttListenerTlsOptions
        {
            Certificate = X509Certificate2.CreateFromPemFile(certificate, access.Key),
            Intermediates = chain.Count > 0 ? chain : null,
            ClientCertificates = authorities is null ? MqttClientCertificates.None
                : access.CertificatesRequired ? MqttClientCertificates.Required
                : MqttClientCertificates.Optional,
            TrustedAuthorities = authorities,
            VerificationTime = time.GetUtcNow,
        };
    }
}
