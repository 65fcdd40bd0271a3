using System.Security.Cryptography.X509Certificates;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.MqttSessions;

public sealed class TlsTests
{
    private readonly TestCertificates _certificates = new();

    [Theory]
    [InlineData(MqttClientCertificates.None)]
    [InlineData(MqttClientCertificates.Optional)]
    [InlineData(MqttClientCertificates.Required)]
    public async Task Client_with_the_right_authority_and_certificate_gets_in(MqttClientCertificates mode)
    {
        await using var fixture = await Listen(mode);
        await using var client = Client(fixture, _certificates.Sign("a"));

        Assert.True((await client.ConnectAsync()).IsSuccess);
        Assert.True((await client.PublishAsync("own/a/x", new byte[100_000])).IsSuccess);

        var request = await ListenerFixture.NextAsync(fixture.Application.Requests);
        Assert.Equal(mode == MqttClientCertificates.None ? null : "CN=a", request.ClientCertificate?.Subject);
    }

    [Fact]
    public async Task Client_without_a_certificate_gets_in_where_it_is_optional()
    {
        await using var fixture = await Listen(MqttClientCertificates.Optional);
        await using var client = Client(fixture, null);
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
        await using var fixture = await Listen(mode);
        await using var client = Client(fixture, foreign ? new TestCertificates().Sign("a") : null);

        await Assert.ThrowsAsync<IOException>(() => client.ConnectAsync());

        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.TlsFailures == 1);
        Assert.Equal(0, fixture.Application.Requests.Reader.Count);
    }

    [Fact]
    public async Task Handshake_that_never_begins_is_closed_in_time()
    {
        await using var fixture = await Listen(MqttClientCertificates.None, TimeSpan.FromMilliseconds(300));
        using var peer = await RawPeer.OpenAsync(fixture.Listener.Port);
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(1, fixture.Listener.Counters.ConnectTimeouts);
    }

    [Fact]
    public async Task Stop_waits_for_no_handshake_and_tells_sessions_why()
    {
        await using var fixture = await Listen(MqttClientCertificates.None);
        using var silent = await RawPeer.OpenAsync(fixture.Listener.Port);
        await using var client = Client(fixture, null);
        Assert.True((await client.ConnectAsync()).IsSuccess);
        await ListenerFixture.UntilAsync(() => fixture.Listener.Connections == 2);

        await fixture.Listener.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(MqttReasonCode.ServerShuttingDown, await client.Closed.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(0, fixture.Listener.Counters.TlsFailures);
    }

    private TestMqttClient Client(ListenerFixture fixture, X509Certificate2? certificate) =>
        new(fixture.ClientOptions("a") with { Authorities = _certificates.Authorities, Certificate = certificate });

    private Task<ListenerFixture> Listen(MqttClientCertificates mode, TimeSpan? connectTimeout = null) =>
        ListenerFixture.StartAsync(new MqttListenerOptions
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
