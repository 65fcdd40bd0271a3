using System.Security.Cryptography.X509Certificates;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Integration.MqttSessions;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Edge.MqttUplink.UplinkRig;

namespace Telemetry.Integration.Edge.MqttUplink;

public sealed class UplinkTlsTests : IAsyncDisposable
{
    private readonly TestCertificates _certificates = new();
    private readonly TemporaryFolder _folder = new();

    public async ValueTask DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public async Task Server_of_our_authority_is_trusted_and_gets_the_gateways_certificate()
    {
        await using var broker = Listen();
        var own = _certificates.Sign("gw-1");
        await File.WriteAllTextAsync(_folder.At("ca.pem"), _certificates.AuthorityPem);
        await File.WriteAllTextAsync(_folder.At("own.pem"), own.ExportCertificatePem());
        await File.WriteAllTextAsync(_folder.At("own.key"), TestCertificates.KeyPem(own));
        using var connector = new MqttUplinkConnector(
            Options(broker.Port) with
            {
                Tls = true,
                ServerName = "localhost",
                AuthorityFile = _folder.At("ca.pem"),
                CertificateFile = _folder.At("own.pem"),
                KeyFile = _folder.At("own.key"),
            },
            Gateway,
            TimeProvider.System);

        await using var connection = await connector.ConnectAsync(CancellationToken.None);
        var outcome = await connection.PublishAsync("t", new byte[100_000], CancellationToken.None);

        Assert.True(outcome.Accepted);
        Assert.Equal("CN=gw-1", broker.ClientSubject);
        await connection.DisposeAsync();
        await UntilAsync(() => broker.HasEnded);
    }

    [Fact]
    public async Task Server_of_a_foreign_authority_is_refused() =>
        await RefusedAsync(new MqttTls { TrustedAuthorities = new TestCertificates().Authorities });

    [Fact]
    public async Task Server_of_an_authority_that_only_the_system_would_have_to_know_is_refused() =>
        await RefusedAsync(new MqttTls());

    [Fact]
    public async Task Server_of_another_name_is_refused() =>
        await RefusedAsync(Trusting() with { TargetHost = "elsewhere.example" });

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task Certificates_are_checked_against_the_time_that_is_given(int days) =>
        await RefusedAsync(Trusting() with { VerificationTime = () => DateTimeOffset.UtcNow.AddDays(days) });

    [Fact]
    public async Task Certificate_that_the_given_time_makes_valid_is_trusted()
    {
        await using var broker = Listen();
        await using var connection = await ConnectAsync(
            Options(broker.Port),
            Trusting() with { VerificationTime = () => DateTimeOffset.UtcNow.AddHours(1) });
        Assert.True((await connection.PublishAsync("t", new byte[1], CancellationToken.None)).Accepted);
    }

    [MosquittoFact]
    public async Task Mosquitto_is_reached_with_a_client_certificate_and_not_without()
    {
        var server = _certificates.Sign("localhost");
        await File.WriteAllTextAsync(_folder.At("ca.pem"), _certificates.AuthorityPem);
        await File.WriteAllTextAsync(_folder.At("server.pem"), server.ExportCertificatePem());
        await File.WriteAllTextAsync(_folder.At("server.key"), TestCertificates.KeyPem(server));
        var port = FreePort.Next();
        await using var mosquitto = await MosquittoServer.Start(new MosquittoOptions
        {
            Configuration = $"""
                listener {port} 127.0.0.1
                cafile {_folder.At("ca.pem")}
                certfile {_folder.At("server.pem")}
                keyfile {_folder.At("server.key")}
                require_certificate true
                """,
        });

        await using var connection = await ConnectAsync(
            Options(port), Trusting() with { ClientCertificate = _certificates.Sign("gw-1") });
        Assert.True((await connection.PublishAsync("t", new byte[100_000], CancellationToken.None)).Accepted);

        var failure = await UplinkRig.RefusedAsync(Options(port), Trusting());
        Assert.True(failure.IsTransient);
    }

    private MqttTls Trusting() => new() { TrustedAuthorities = _certificates.Authorities };

    private ScriptedBroker Listen() => new()
    {
        Authorities = _certificates.Authorities,
        Certificate = X509CertificateLoader.LoadPkcs12(
            _certificates.Sign("localhost").Export(X509ContentType.Pfx), null),
    };

    private async Task RefusedAsync(MqttTls tls)
    {
        await using var broker = Listen();
        var failure = await UplinkRig.RefusedAsync(Options(broker.Port), tls);
        Assert.StartsWith("MQTT connection failed: ", failure.Message, StringComparison.Ordinal);
        Assert.Empty(broker.Received);
    }
}
