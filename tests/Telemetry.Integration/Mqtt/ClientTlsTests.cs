using Telemetry.Integration.MqttSessions;
using Telemetry.Mqtt;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Mqtt;

public sealed class ClientTlsTests
{
    private readonly TestCertificates _certificates = new();

    [Fact]
    public async Task Client_refuses_a_server_of_a_foreign_authority()
    {
        await using var fixture = await Listen();
        await using var client =
            Client(
                fixture.Listener.Port,
                new MqttClientTlsOptions { TrustedAuthorities = new TestCertificates().Authorities });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [Fact]
    public async Task Client_refuses_a_server_of_another_name()
    {
        await using var fixture = await Listen();
        await using var client = Client(fixture.Listener.Port, Trusting() with { TargetHost = "elsewhere.example" });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task Certificates_are_checked_against_the_time_that_is_given(int days)
    {
        await using var fixture = await Listen();
        await using var client =
            Client(
                fixture.Listener.Port,
                Trusting() with { VerificationTime = () => DateTimeOffset.UtcNow.AddDays(days) });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [MosquittoFact]
    public async Task Mosquitto_is_reached_over_tls_with_a_client_certificate()
    {
        await using var folder = new TemporaryFolder();
        var server = _certificates.Sign("localhost");
        await File.WriteAllTextAsync(folder.At("ca.pem"), _certificates.AuthorityPem);
        await File.WriteAllTextAsync(folder.At("server.pem"), server.ExportCertificatePem());
        await File.WriteAllTextAsync(folder.At("server.key"), TestCertificates.KeyPem(server));
        int port = FreePort.Next();
        await using var mosquitto = await MosquittoServer.Start(new MosquittoOptions
        {
            Configuration = $"""
                listener {port} 127.0.0.1
                cafile {folder.At("ca.pem")}
                certfile {folder.At("server.pem")}
                keyfile {folder.At("server.key")}
                require_certificate true
                """,
        });
        var options = new MqttClientOptions
        {
            Host = "127.0.0.1",
            Port = port,
            ClientId = "a",
            Tls = Trusting() with { ClientCertificate = _certificates.Sign("a") },
        };
        await using var client = new MqttClient(options, TimeProvider.System);
        Assert.True((await client.ConnectAsync()).IsSuccess);
        Assert.True((await client.PublishAsync("t", new byte[100_000])).IsSuccess);

        await using var stranger = new MqttClient(options with { Tls = Trusting() }, TimeProvider.System);
        await Assert.ThrowsAsync<MqttConnectionException>(() => stranger.ConnectAsync());
    }

    private MqttClientTlsOptions Trusting() => new() { TrustedAuthorities = _certificates.Authorities };

    private static MqttClient Client(int port, MqttClientTlsOptions tls) => new(
        new MqttClientOptions { Host = "127.0.0.1", Port = port, ClientId = "a", Tls = tls }, TimeProvider.System);

    private Task<ListenerFixture> Listen() =>
        ListenerFixture.StartAsync(new Telemetry.MqttSessions.MqttListenerOptions
        {
            Tls = new Telemetry.MqttSessions.MqttListenerTlsOptions { Certificate = _certificates.Sign("localhost") },
        });
}
