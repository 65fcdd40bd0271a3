using Telemetry.Ingress;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>ingress</c>.</summary>
internal static class IngressSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1);

    public static IngressOptions Read(SettingsReader reader, int partitions)
    {
        var or = new IngressOptions();
        return or with
        {
            Partitions = partitions,
            AppendsInFlightMax = reader.Number("ingress.appendsInFlightMax", or.AppendsInFlightMax, 1, 65_536),
            SessionsPerGatewayMax = reader.Number(
                "ingress.sessionsPerGatewayMax", or.SessionsPerGatewayMax, 1, 1_000_000),
            SchemasPerSecond = reader.Number("ingress.schemasPerSecond", or.SchemasPerSecond, 1, 1_000_000),
            AppendPatience = reader.Span("ingress.appendPatience", or.AppendPatience, Second, Hour),
            DownMessagesMax = reader.Number("ingress.downMessagesMax", or.DownMessagesMax, 1, 1024),
            DownBytesMax = (int)reader.Bytes("ingress.downBytesMax", or.DownBytesMax, 1024, 1 << 28),
        };
    }

    public static AccessSettings ReadAccess(SettingsReader reader, bool needed)
    {
        var access = new AccessSettings(
            reader.Text("ingress.gateways"),
            reader.Flag("ingress.plainPasswords", false),
            reader.Text("ingress.tls.certificate"),
            reader.Text("ingress.tls.key"),
            reader.Text("ingress.tls.clientAuthorities"),
            reader.Flag("ingress.tls.clientCertificatesRequired", false));
        if (needed && access is { PasswordFile: null, ClientAuthorities: null })
        {
            reader.Problem(
                "ingress.gateways", "is missing; this or ingress.tls.clientAuthorities says who may connect");
        }

        if (access.Certificate is null != access.Key is null)
        {
            reader.Problem("ingress.tls", "certificate is not allowed without key, nor key without certificate");
        }

        if (access is { Certificate: null, ClientAuthorities: not null }
            or { ClientAuthorities: null, CertificatesRequired: true })
        {
            reader.Problem("ingress.tls", "client certificates need certificate, key and clientAuthorities");
        }

        foreach (var (key, file) in new[]
        {
            ("ingress.gateways", access.PasswordFile), ("ingress.tls.certificate", access.Certificate),
            ("ingress.tls.key", access.Key), ("ingress.tls.clientAuthorities", access.ClientAuthorities),
        })
        {
            if (needed && file is not null && !File.Exists(file))
            {
                reader.Problem(key, $"the file '{file}' does not exist");
            }
        }

        return access;
    }
}
