using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;
using Telemetry.TestKit.Time;

namespace Telemetry.Integration.MqttSessions;

/// <summary>
/// Each test harms one connection while another session keeps working; the harm is counted and has its code.
/// </summary>
public sealed class HostileTrafficTests : IAsyncLifetime
{
    private static readonly MqttSessionLimits Limits = new() { ReceiveMaximum = 2, PacketBytesMax = 4096 };

    private ListenerFixture _fixture = null!;
    private TestMqttClient _good = null!;

    private MqttListenerCounters Counters => _fixture.Listener.Counters;

    public async Task InitializeAsync()
    {
        _fixture = await ListenerFixture.StartAsync(new MqttListenerOptions { Limits = Limits, ConnectionsMax = 4 });
        _good = await _fixture.ConnectAsync("good");
    }

    public async Task DisposeAsync()
    {
        Assert.True((await _good.PublishAsync("own/good/x", "still here"u8.ToArray())).IsSuccess);
        Assert.Equal(1, _fixture.Listener.Connections);
        await _good.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Unauthorised_qos1_message_gets_0x87_and_the_session_goes_on()
    {
        await using var client = await _fixture.ConnectAsync("bad");

        var result = await client.PublishAsync("own/good/x", "forged"u8.ToArray());

        Assert.Equal(MqttReasonCode.NotAuthorized, result.ReasonCode);
        Assert.Equal(1, Counters.UnauthorizedPublishes);
        Assert.True((await client.PublishAsync("own/bad/x", "mine"u8.ToArray())).IsSuccess);
        Assert.Equal("mine", (await ListenerFixture.NextAsync(_fixture.Application.Messages)).Text);
        await CloseAsync(client);
    }

    [Fact]
    public async Task Unauthorised_qos0_message_is_counted_and_the_session_goes_on()
    {
        await using var client = await _fixture.ConnectAsync("bad");

        await client.PublishAsync("own/good/x", "forged"u8.ToArray(), acknowledged: false);

        Assert.True((await client.PublishAsync("own/bad/x", "mine"u8.ToArray())).IsSuccess);
        Assert.Equal("mine", (await ListenerFixture.NextAsync(_fixture.Application.Messages)).Text);
        Assert.Equal(1, Counters.UnauthorizedPublishes);
        await CloseAsync(client);
    }

    [Fact]
    public async Task Oversized_packet_gets_0x95_before_its_bytes_are_sent()
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad");
        await peer.SendAsync([0x30, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.Equal(MqttReasonCode.PacketTooLarge, await peer.ReadDisconnectAsync());
        Assert.Equal(1, Counters.Oversized);
        await GoneAsync();
    }

    [Fact]
    public async Task Sender_of_an_oversized_packet_still_reads_why()
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad");
        await peer.SendAsync(MqttBytes.Packet(0x30, [.. MqttBytes.Text("own/bad/x"), 0, .. new byte[200_000]]));
        Assert.Equal(MqttReasonCode.PacketTooLarge, await peer.ReadDisconnectAsync());
        peer.Dispose();
        await GoneAsync();
    }

    [Fact]
    public async Task Malformed_packet_gets_0x81()
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad");
        await peer.SendAsync([0x30, 4, 0xFF, 0xFF, 1, 2]);
        Assert.Equal(MqttReasonCode.MalformedPacket, await peer.ReadDisconnectAsync());
        Assert.Equal(1, Counters.ProtocolErrors(MqttReasonCode.MalformedPacket));
        peer.Dispose();
        await GoneAsync();
    }

    public static TheoryData<string, MqttReasonCode, byte[]> Broken => new()
    {
        { "QoS 3", MqttReasonCode.MalformedPacket, [0x36, 0] },
        { "QoS 2", MqttReasonCode.QosNotSupported, [0x34, 7, 0, 1, (byte)'a', 0, 1, 0, 9] },
        { "packet identifier 0", MqttReasonCode.ProtocolError, [0x32, 7, 0, 1, (byte)'a', 0, 0, 0, 9] },
        { "broken UTF-8", MqttReasonCode.MalformedPacket, [0x32, 7, 0, 1, 0xFF, 0, 1, 0, 9] },
        { "retain", MqttReasonCode.RetainNotSupported, [0x33, 7, 0, 1, (byte)'a', 0, 1, 0, 9] },
        { "a second CONNECT", MqttReasonCode.ProtocolError, MqttBytes.Of(RawPeer.Connect("bad")) },
    };

    [Theory, MemberData(nameof(Broken))]
    public async Task Broken_packet_gets_its_reason_code(string what, MqttReasonCode code, byte[] bytes)
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad");
        await peer.SendAsync(bytes);
        Assert.True(code == await peer.ReadDisconnectAsync(), what);
        Assert.Equal(1, Counters.ProtocolErrors(code));
        peer.Dispose();
        await GoneAsync();
    }

    [Fact]
    public async Task Alias_after_a_reconnect_gets_0x94()
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad");
        await peer.SendAsync(
            MqttBytes.Packet(0x32, [.. MqttBytes.Text(""), 0, 1, .. MqttBytes.Properties(0x23, 0, 1), 7]));
        Assert.Equal(MqttReasonCode.TopicAliasInvalid, await peer.ReadDisconnectAsync());
        peer.Dispose();
        await GoneAsync();
    }

    [Fact]
    public async Task Truncated_packet_harms_nobody_and_ends_its_session()
    {
        using (var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad"))
        {
            await peer.SendAsync([0x32, 100, 0, 5, 1, 2]);
        }
        await GoneAsync();
        Assert.Equal(0, Counters.ProtocolErrors(MqttReasonCode.MalformedPacket));
        string[] log = [await LogAsync(), await LogAsync(), await LogAsync()];
        Assert.Equal(["connected good", "connected bad", "disconnected bad ConnectionLost UnspecifiedError"], log);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x10, 20, 0, 4 })]
    public async Task Who_does_not_finish_a_connect_is_closed_in_time(byte[] bytes)
    {
        var clock = new SimulatedClock();
        await using var fixture = await ListenerFixture.StartAsync(time: clock);
        using var peer = await RawPeer.OpenAsync(fixture.Listener.Port);
        await peer.SendAsync(bytes);
        // The connection counts before its time limit runs, and only a running one ends.
        await ListenerFixture.UntilAsync(() => clock.NextDue == Limits.ConnectTimeout);
        Assert.Equal(1, fixture.Listener.Connections);

        clock.Advance(Limits.ConnectTimeout);

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(1, fixture.Listener.Counters.ConnectTimeouts);
        peer.Dispose();
        await ListenerFixture.UntilAsync(() => fixture.Listener.Connections == 0);
    }

    [Fact]
    public async Task Foreign_protocol_is_closed_without_a_word()
    {
        using var peer = await RawPeer.OpenAsync(_fixture.Listener.Port);
        await peer.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(1, Counters.ProtocolErrors(MqttReasonCode.MalformedPacket));
        peer.Dispose();
        await GoneAsync();
    }

    [Fact]
    public async Task Silence_after_the_connect_gets_0x8D()
    {
        using var peer = await RawPeer.ConnectAsync(_fixture.Listener.Port, "bad", keepAliveSeconds: 1);
        Assert.Equal(MqttReasonCode.KeepAliveTimeout, await peer.ReadDisconnectAsync());
        Assert.Equal(1, Counters.KeepAliveTimeouts);
        peer.Dispose();
        await GoneAsync();
    }

    [Fact]
    public async Task One_connection_too_many_is_closed_at_once_and_counted()
    {
        var peers = new List<RawPeer>();
        for (int i = 0; i < 3; i++) peers.Add(await RawPeer.ConnectAsync(_fixture.Listener.Port, $"p{i}"));
        using (var peer = await RawPeer.OpenAsync(_fixture.Listener.Port)) Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(1, Counters.ConnectionsOverLimit);
        peers.ForEach(p => p.Dispose());
        await GoneAsync();
    }

    private Task<string> LogAsync() => ListenerFixture.NextAsync(_fixture.Application.Log);

    private async Task CloseAsync(TestMqttClient client)
    {
        await client.DisconnectAsync();
        await GoneAsync();
    }

    /// <summary>Waits until nothing of the hostile connection is left.</summary>
    private Task GoneAsync() => ListenerFixture.UntilAsync(() => _fixture.Listener.Connections == 1);
}
