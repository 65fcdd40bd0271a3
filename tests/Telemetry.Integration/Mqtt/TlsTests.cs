using Telemetry.Mqtt;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Mqtt;

public sealed class TlsTests
{
    private readonly TestCertificates _certificates = new();

    [Theory]
    [InlineData(MqttClientCertificates.None)]
    [InlineData(MqttClientCertificates.Optional)]
    [InlineData(MqttClientCertificates.Required)]
    public async Task Client_with_the_right_authority_and_certificate_gets_in(MqttClientCertificates mode)
    {
        await using var fixture = Listen(mode);
        await using var client = Client(fixture, Trusting() with { ClientCertificate = _certificates.Sign("a") });

        Assert.True((await client.ConnectAsync()).IsSuccess);
        Assert.True((await client.PublishAsync("own/a/x", new byte[100_000])).IsSuccess);

        var request = await ListenerFixture.NextAsync(fixture.Application.Requests);
        Assert.Equal(mode == MqttClientCertificates.None ? null : "CN=a", request.ClientCertificate?.Subject);
    }

    [Fact]
    public async Task Client_without_a_certificate_gets_in_where_it_is_optional()
    {
        await using var fixture = Listen(MqttClientCertificates.Optional);
        await using var client = Client(fixture, Trusting());
        Assert.True((await client.ConnectAsync()).IsSuccess);
        Assert.Null((await ListenerFixture.NextAsync(fixture.Application.Requests)).ClientCertificate);
    }

    [Theory]
    [InlineData(MqttClientCertificates.Required, false)]
    [InlineData(MqttClientCertificates.Required, true)]
    [InlineData(MqttClientCertificates.Optional, true)]
    public async Task Missing_or_foreign_client_certificate_is_refused_and_counted(MqttClientCertificates mode,
        bool foreign)
    {
        await using var fixture = Listen(mode);
        await using var client = Client(fixture, Trusting() with
        {
            ClientCertificate = foreign ? new TestCertificates().Sign("a") : null,
        });

        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());

        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.TlsFailures == 1);
        Assert.Equal(0, fixture.Application.Requests.Reader.Count);
    }

    [Fact]
    public async Task Client_refuses_a_server_of_a_foreign_authority()
    {
        await using var fixture = Listen(MqttClientCertificates.None);
        await using var client =
            Client(fixture, new MqttClientTlsOptions { TrustedAuthorities = new TestCertificates().Authorities });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [Fact]
    public async Task Client_refuses_a_server_of_another_name()
    {
        await using var fixture = Listen(MqttClientCertificates.None);
        await using var client = Client(fixture, Trusting() with { TargetHost = "elsewhere.example" });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task Certificates_are_checked_against_the_time_that_is_given(int days)
    {
        await using var fixture = Listen(MqttClientCertificates.None);
        await using var client =
            Client(fixture, Trusting() with { VerificationTime = () => DateTimeOffset.UtcNow.AddDays(days) });
        await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
    }

    [Fact]
    public async Task Handshake_that_never_begins_is_closed_in_time()
    {
        await using var fixture = Listen(MqttClientCertificates.None, TimeSpan.FromMilliseconds(300));
        using var peer = await RawPeer.OpenAsync(fixture.Listener.Port);
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(1, fixture.Listener.Counters.ConnectTimeouts);
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

    private static MqttClient Client(ListenerFixture fixture, MqttClientTlsOptions tls) =>
        new(fixture.ClientOptions("a") with { Tls = tls }, TimeProvider.System);

    private ListenerFixture Listen(MqttClientCertificates mode, TimeSpan? connectTimeout = null) =>
        new(new MqttListenerOptions
        {
            Limits = new MqttSessionLimits { ConnectTimeout = connectTimeout ?? TimeSpan.FromSeconds(10) },
            Tls = new MqttListenerTlsOptions
            {
                Certificate = _certificates.Sign("localhost"),
                ClientCertificates = mode,
                TrustedAuthorities = _certificates.Authorities,
            },
        });
}
