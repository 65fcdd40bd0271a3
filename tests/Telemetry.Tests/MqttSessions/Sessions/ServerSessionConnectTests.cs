using System.Text;
using MQTTnet.Packets;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Sessions;
using static Telemetry.TestKit.Mqtt.MqttBytes;

namespace Telemetry.Tests.MqttSessions.Sessions;

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
        _probe.Receive(Packet(0x10, [.. Text(name), level, 2, 0, 60, .. Text("a")]));

        Assert.Equal([0x20, 2, 0, 1], _probe.SentBytes());
        Assert.Equal((MqttCloseKind.Refused, MqttReasonCode.UnsupportedProtocolVersion), Reason);
    }

    [Fact]
    public void Newer_protocol_is_refused_with_0x84()
    {
        _probe.Receive(Packet(0x10, [.. Text("MQTT"), 6, 2, 0, 60, 0, 0, 0]));
        AssertRefused(MqttReasonCode.UnsupportedProtocolVersion);
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
        var packet = Connect(what == "empty client id" ? "" : "a");
        packet.AuthenticationMethod = what == "extended authentication" ? "S" : null;
        if (what == "will")
        {
            (packet.WillFlag, packet.WillTopic, packet.WillMessage) = (true, "own/w", [1]);
        }

        _probe.Receive(packet);

        AssertRefused((MqttReasonCode)code);
        Assert.Equal((MqttCloseKind.Refused, (MqttReasonCode)code), Reason);
    }

    [Fact]
    public void Refusal_of_the_application_is_the_connack()
    {
        _probe.Receive(Connect("a"));
        _session.Refuse(MqttReasonCode.BadUserNameOrPassword, "no");
        Assert.Equal([0x20, 8, 0, 0x86, 5, 0x1F, 0, 2, (byte)'n', (byte)'o'], _probe.SentBytes());
        _session.Accept(null, _probe.Now);
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Malformed_connect_of_version_5_is_answered_with_0x81()
    {
        _probe.Receive(Packet(0x10, [.. Text("MQTT"), 5, 3, 0, 60, 0, 0, 0]));
        AssertRefused(MqttReasonCode.MalformedPacket);
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.MalformedPacket), Reason);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\u00100")]
    public void Foreign_bytes_are_not_answered(string text)
    {
        _probe.Receive(Encoding.Latin1.GetBytes(text));
        if (_session.Closed is null)
        {
            _probe.Wait(Limits.ConnectTimeout);
        }

        Assert.Empty(_probe.Sent());
        Assert.NotNull(_session.Closed);
    }

    [Fact]
    public void First_packet_has_to_be_connect()
    {
        _probe.Receive(MqttPingReqPacket.Instance);
        Assert.Empty(_probe.Sent());
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.ProtocolError), Reason);
    }

    [Fact]
    public void Stranger_gets_no_more_memory_than_a_connect_needs()
    {
        _probe.Receive(Connect(new string('a', 513)));
        Assert.Equal((MqttCloseKind.ProtocolError, MqttReasonCode.PacketTooLarge), Reason);
    }

    [Fact]
    public void Stranger_that_claims_a_packet_of_268_MB_is_ended_by_its_header_for_nothing()
    {
        // What an exception costs once is not the claim's.
        new SessionProbe(new ServerSession(Limits, new OwnTopicsOnly(), TimeSpan.Zero)).Receive(0x10, 0xFF, 0xFF);
        Stranger_gets_no_more_memory_than_a_connect_needs();
        var session = new ServerSession(Limits, new OwnTopicsOnly(), TimeSpan.Zero);
        var claim = new System.Buffers.ReadOnlySequence<byte>([0x10, 0xFF, 0xFF, 0xFF, 0x7F]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        session.Receive(ref claim, TimeSpan.Zero);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * 1024);
        Assert.Equal(MqttReasonCode.PacketTooLarge, session.Closed!.ReasonCode);
    }

    [Fact]
    public void Silent_stranger_is_closed_at_the_connect_timeout()
    {
        Assert.Equal(Limits.ConnectTimeout, _session.NextDeadline);
        _probe.Receive(0x10);
        _probe.Wait(Limits.ConnectTimeout - TimeSpan.FromMilliseconds(1));
        Assert.Null(_session.Closed);
        _probe.Wait(TimeSpan.FromMilliseconds(1));
        Assert.Equal(MqttCloseKind.ConnectTimeout, _session.Closed!.Kind);
    }

    [Fact]
    public void Packets_behind_the_connect_wait_for_the_answer()
    {
        byte[] ping = [0xC0, 0];

        Assert.Equal(2, _probe.Receive([.. Of(Connect("a")), .. ping]));
        Assert.False(_session.WantsInput);
        _session.Accept(null, _probe.Now);
        _probe.Receive(ping);

        Assert.Equal([typeof(MqttConnAckPacket), typeof(MqttPingRespPacket)], _probe.Sent().Select(p => p.GetType()));
    }

    private (MqttCloseKind, MqttReasonCode) Reason => (_session.Closed!.Kind, _session.Closed.ReasonCode);

    private void AssertRefused(MqttReasonCode code) =>
        Assert.Equal(code, (MqttReasonCode)_probe.SentOne<MqttConnAckPacket>().ReasonCode);
}
