using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Hosting;
using Telemetry.Ingress;
using Telemetry.Ingress.Presence;
using Telemetry.Ingress.Sessions;
using Telemetry.Integration.Streams;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Ingress;

/// <summary>Gateways that show certificates, with files as the configuration names them.</summary>
public sealed class IngressTlsTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _authority = Authority("CN=Test authority");
    private readonly IngressCounters _counters = new();

    [NatsFact]
    public async Task Certificate_of_our_authority_lets_its_gateway_in_and_nobody_else()
    {
        await using var nats = await NatsStand.Start();
        await nats.Log.EnsureStreamsAsync(0, default);
        await using var ingress = await Start(nats);
        using var own = Issue(_authority, "CN=gw-1");
        using var foreignAuthority = Authority("CN=Test authority");
        using var forged = Issue(foreignAuthority, "CN=gw-1");

        await using var client = Client(ingress.Port, "gw-1", own);
        Assert.Equal(MqttReasonCode.Success, (await client.ConnectAsync()).ReasonCode);
        Assert.True((await client.PublishAsync("tm/1/gw-1/live", Frame())).IsSuccess);
        Assert.Equal(MqttReasonCode.NotAuthorized, (await client.PublishAsync("tm/1/gw-2/live", Frame())).ReasonCode);

        await using var other = Client(ingress.Port, "gw-2", own);
        Assert.Equal(MqttReasonCode.ClientIdentifierNotValid, (await other.ConnectAsync()).ReasonCode);
        await using var without = Client(ingress.Port, "gw-1", null);
        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, (await without.ConnectAsync()).ReasonCode);
        await using var stranger = Client(ingress.Port, "gw-1", forged);
        await Assert.ThrowsAsync<IOException>(() => stranger.ConnectAsync());
        Assert.Equal(1, _counters[IngressEvent.FrameAppended]);
    }

    public async ValueTask DisposeAsync()
    {
        _authority.Dispose();
        await _folder.DisposeAsync();
    }

    private async Task<MqttIngress> Start(NatsStand nats)
    {
        using var server = Issue(_authority, "CN=127.0.0.1");
        File.WriteAllText(_folder.At("server.pem"), server.ExportCertificatePem());
        File.WriteAllText(_folder.At("server.key"), server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(_folder.At("authority.pem"), _authority.ExportCertificatePem());
        var settings = new CloudSettings
        {
            MqttEndPoint = new(System.Net.IPAddress.Loopback, 0),
            Ingress = new IngressOptions { Partitions = 1 },
            Access = new(
                null, false, _folder.At("server.pem"), _folder.At("server.key"), _folder.At("authority.pem"), false),
        };
        var core = new IngressCore(nats.Log, nats.ControlChannel, settings.Ingress, TimeProvider.System, _counters);
        var ingress = IngressRole.Make(
            settings, core, _counters, new PresenceBoard(new PresenceOptions(), TimeProvider.System),
            TimeProvider.System, NullLogger.Instance);
        await ingress.StartAsync(default);
        return ingress;
    }

    private TestMqttClient Client(int port, string clientId, X509Certificate2? certificate) => new(new TestMqttOptions
    {
        Port = port,
        ClientId = clientId,
        Certificate = certificate,
        Authorities = [_authority],
    });

    private static X509Certificate2 Authority(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(30));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.Create(
            authority,
            TimeProvider.System.GetUtcNow().AddHours(-1),
            TimeProvider.System.GetUtcNow().AddDays(7),
            RandomNumberGenerator.GetBytes(8));
        using var whole = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(
            whole.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }
}
