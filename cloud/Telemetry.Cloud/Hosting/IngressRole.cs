using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Ingress.Presence;
using Telemetry.Ingress.Sessions;
using Telemetry.Model.Protocol;
using Telemetry.MqttSessions;

namespace Telemetry.Cloud.Hosting;

/// <summary>Makes the ingress that the settings describe.</summary>
internal static class IngressRole
{
    /// <summary>What a packet holds beside a hello of the greatest size: topic and properties.</summary>
    private const int PacketOverheadBytes = 16 * 1024;

    public static MqttIngress Make(
        CloudSettings settings, IngressCore core, IngressCounters counters, PresenceBoard presence, TimeProvider time,
        ILogger logger)
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
        PasswordHandler? passwords = null;
        if (settings.Access.PasswordFile is { } path)
        {
            var file = Gateways(
                path, found => new PasswordFile(found, settings.Access.PlainPasswords, time, logger));
            passwords = new PasswordHandler(file.Current, settings.Passwords, counters, time, logger);
        }

        return new MqttIngress(
            options,
            core,
            new GatewayGate(passwords),
            counters,
            settings.StopWithin / 2,
            time,
            logger,
            presence);
    }

    /// <summary>
    /// TLS as configured; null for plain TCP. Reads the files; throws <see cref="StartException"/> that names the key
    /// of one that is not what it should be.
    /// </summary>
    public static MqttListenerTlsOptions? Tls(AccessSettings access, TimeProvider time)
    {
        if (access.Certificate is not { } certificate)
        {
            return null;
        }

        // The file may hold the chain: the first one is ours, the others are sent along.
        var chain = Certificates("ingress.tls.certificate", certificate);
        chain.RemoveAt(0);
        var authorities = access.ClientAuthorities is { } file
            ? Certificates("ingress.tls.clientAuthorities", file) : null;
        return new MqttListenerTlsOptions
        {
            Certificate = WithKey(certificate, access.Key!),
            Intermediates = chain.Count > 0 ? chain : null,
            ClientCertificates = authorities is null ? MqttClientCertificates.None
                : access.CertificatesRequired ? MqttClientCertificates.Required
                : MqttClientCertificates.Optional,
            TrustedAuthorities = authorities,
            VerificationTime = time.GetUtcNow,
        };
    }

    /// <summary>
    /// Reads every file that the role needs, and says what is in them; throws <see cref="StartException"/>.
    /// </summary>
    public static string DescribeFiles(CloudSettings settings, TimeProvider time)
    {
        var passwords = settings.Access.PasswordFile is { } file
            ? Gateways(file, path => PasswordFile.Read(path, settings.Access.PlainPasswords))
            : null;
        using var certificate = Tls(settings.Access, time)?.Certificate;
        var known = passwords is null ? "no password file" : $"{passwords.Count} with passwords";
        return certificate is null
            ? $"{known}, no TLS"
            : $"{known}, certificate of {certificate.Subject} until {certificate.NotAfter:yyyy-MM-dd}";
    }

    /// <summary>The gateways file as configured; throws <see cref="StartException"/>.</summary>
    private static T Gateways<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new StartException($"ingress.gateways: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection Certificates(string key, string file)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartException($"{key}: {file} cannot be read: {e.Message}", e);
        }

        return found.Count > 0 ? found
            : throw new StartException($"{key}: {file} does not contain a certificate in PEM");
    }

    private static X509Certificate2 WithKey(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception e)
            when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new StartException(
                $"ingress.tls.key: {key} does not hold the key of {certificate}: {e.Message}", e);
        }
    }
}
