using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Nats;
using Telemetry.Testing.Servers;
using static Telemetry.Integration.Nats.NatsClients;

namespace Telemetry.Integration.Nats;

public sealed class NatsTlsTests : IDisposable
{
    private readonly X509Certificate2 _certificate = Make();
    private readonly string _folder = Directory.CreateTempSubdirectory("nats-tls").FullName;

    public void Dispose()
    {
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [NatsFact]
    public async Task A_trusted_server_is_spoken_to_in_TLS()
    {
        await using var server = await Start();
        await using var connection = await NatsConnection.ConnectAsync(Trusting(server));
        await using var subscription = await connection.SubscribeAsync("a");
        var payload = new byte[200_000];
        new Random(4).NextBytes(payload);

        await connection.PublishAsync("a", payload);

        Assert.True(connection.ServerInfo.TlsRequired);
        Assert.True((await subscription.Reader.ReadAsync(Limit())).Data.Span.SequenceEqual(payload));
    }

    [NatsFact]
    public async Task An_untrusted_server_is_refused_for_good()
    {
        await using var server = await Start();
        var error = await Assert.ThrowsAsync<NatsConnectionException>(
            async () => await NatsConnection.ConnectAsync(Options(server)));
        Assert.False(error.IsTransient);
    }

    [NatsFact]
    public async Task A_server_without_TLS_is_refused_where_TLS_is_configured()
    {
        await using var server = await NatsServer.Start();
        var byAddress = Options(server) with { Servers = [$"tls://127.0.0.1:{server.Port}"] };
        foreach (var options in new[] { Trusting(server), byAddress })
        {
            var error = await Assert.ThrowsAsync<NatsConnectionException>(
                async () => await NatsConnection.ConnectAsync(options));
            Assert.False(error.IsTransient);
        }
    }

    private static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=nats", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private NatsOptions Trusting(NatsServer server) => Options(server) with
    {
        Tls = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _certificate },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };

    private async Task<NatsServer> Start()
    {
        var (certificate, key) = (Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "key.pem"));
        await File.WriteAllTextAsync(certificate, _certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return await NatsServer.Start($$"""
            tls { cert_file: "{{certificate}}", key_file: "{{key}}" }
            """);
    }
}
