using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

public sealed class ServerSessionConnectTests
{
    private static readonly MqttSessionLimits Limits = new() { ConnectBytesMax = 512 };

    private readonly ServerSession _session;
    private readonly SessionProbe _probe;

    public ServerSessionConnectTests()
    {
        _session = new ServerSession(Limits, new OwnTopicsOnly(), TimeSpan.Zero);
        _probe = new SessionProbe(_session);
    }

    [Theory]
    [InlineData(3, "MQIsdp")]
    [InlineData(4, "MQTT")]
    public void Older_protocol_is_refused_in_its_own_words(byte level, string name)
    {
        _probe.Receive(PacketSamples.Packet(0x10,
            [.. PacketSamples.Text(name), level, 2, 0, 60, .. PacketSamples.Text("a")]));

        var answer = Assert.Single(_probe.Sent());
        Assert.Equal([0, 1], answer.Body.FirstSpan.ToArray());
        Assert.Equal((MqttCloseKind.Refused, MqttReasonCode.UnsupportedProtocolVersion), Reason);
    }

    [Fact]
    public void Newer_protocol_is_refused_with_0x84()
    {
        _probe.Receive(PacketSamples.Packet(0x10, [.. PacketSamples.Text("MQTT"), 6, 2, 0, 60, 0, 0, 0]));
        Assert.Equal(MqttReasonCode.UnsupportedProtocolVersion, ConnAck(Assert.Single(_probe.Sent())).ReasonCode);
    }

    public static TheoryData<string, byte> RefusedConnects => new()
    {
        { "empty client id", (byte)MqttReasonCode.ClientIdentifierNotValid },
        { "will", (byte)MqttReasonCode.ImplementationSpecificError },
        { "extended authentication", (byte)MqttReasonCode.BadAuthenticationMethod },
    };

    [Theory, MemberData(nameof(RefusedConnects))]
    public void Connect_that_is_not_served_is_refused_with_its_code(string what, byte code)
    {
        var packet = new ConnectPacket { ClientId = "a" };
        packet = what switch
        {
            "will" => packet with { Will = new ConnectWill("own/w", [], 0, false, PropertyList.Empty) },
            "extended authentication" =>
                packet with { Properties = new PropertyList().Add(PropertyId.AuthenticationMethod, "S") },
            _ => packet with { ClientId = "" },
        };

        _probe.Receive(packet.Write);

        Assert.Equal((MqttReasonCode)code, ConnAck(Assert.Single(_probe.Sent())).ReasonCode);
        Assert.Equal((MqttCloseKind.Refused, (MqttReasonCode)code), Reason);
    }

    [Fact]
    public void Refusal_of_the_application_is_the_connack()
    {
        _probe.Receive(new ConnectPacket { ClientId = "a" }.Write);
        _session.Refuse(MqttReasonCode.BadUserNameOrPassword, "no");
        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, ConnAck(Assert.Single(_probe.Sent())).ReasonCode);
        _session.Accept(null, _probe.Now);
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Malformed_connect_of_version_5_is_answered_with_0x81()
    {
        _probe.Receive(PacketSamples.Packet(0x10, [.. PacketSamples.Text("MQTT"), 5, 3, 0, 60, 0, 0, 0]));
        Assert.Equal(MqttReasonCode.MalformedPacket, ConnAck(Assert.Single(_probe.Sent())).ReasonCode);
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.MalformedPacket), Reason);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\u00100")]
    public void Foreign_bytes_are_not_answered(string text)
    {
        _probe.Receive(System.Text.Encoding.Latin1.GetBytes(text));
        if (_session.Closed is null) _probe.Wait(Limits.ConnectTimeout);
        Assert.Empty(_probe.Sent());
        Assert.NotNull(_session.Closed);
    }

    [Fact]
    public void First_packet_has_to_be_connect()
    {
        _probe.Receive(new PingPacket(PacketType.PingReq).Write);
        Assert.Empty(_probe.Sent());
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.ProtocolError), Reason);
    }

    [Fact]
    public void Stranger_gets_no_more_memory_than_a_connect_needs()
    {
        _probe.Receive(o => new ConnectPacket { ClientId = new string('a', 513) }.Write(o));
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.PacketTooLarge), Reason);
    }

    [Fact]
    public void Silent_stranger_is_closed_at_the_connect_timeout()
    {
        Assert.Equal(Limits.ConnectTimeout, _session.NextDeadline);
        _probe.Receive([0x10]);
        _probe.Wait(Limits.ConnectTimeout - TimeSpan.FromMilliseconds(1));
        Assert.Null(_session.Closed);
        _probe.Wait(TimeSpan.FromMilliseconds(1));
        Assert.Equal(MqttCloseKind.ConnectTimeout, _session.Closed!.Kind);
    }

    [Fact]
    public void Packets_behind_the_connect_wait_for_the_answer()
    {
        byte[] ping = [0xC0, 0];
        var connect = new System.Buffers.ArrayBufferWriter<byte>();
        new ConnectPacket { ClientId = "a" }.Write(connect);

        Assert.Equal(2, _probe.Receive([.. connect.WrittenSpan, .. ping]));
        Assert.False(_session.WantsInput);
        _session.Accept(null, _probe.Now);
        _probe.Receive(ping);

        Assert.Equal([PacketType.ConnAck, PacketType.PingResp], _probe.Sent().Select(p => p.Type));
    }

    private (MqttCloseKind, MqttReasonCode) Reason => (_session.Closed!.Kind, _session.Closed.ReasonCode);
}
