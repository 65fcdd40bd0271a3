using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Sessions;
using Telemetry.TestKit.Mqtt;
using static Telemetry.Tests.MqttSessions.Sessions.SessionProbe;

namespace Telemetry.Tests.MqttSessions.Sessions;

public sealed class ServerSessionTests : ServerSessionScene
{
    [Fact]
    public void Connack_says_honestly_what_is_served()
    {
        var connect = MqttBytes.Connect("a");
        (connect.CleanSession, connect.SessionExpiryInterval, connect.KeepAlivePeriod) = (false, 60, 0);
        _probe.Receive(connect);
        Assert.Equal("a", _probe.Next<ConnectRequested>().Packet.ClientId);
        Assert.Empty(_probe.Sent());
        _session.Accept([new("k", "v")], _probe.Now);

        var bytes = _probe.SentBytes();
        var answer = Assert.IsType<MqttConnAckPacket>(Assert.Single(MqttBytes.Read(bytes)));

        Assert.Equal(MqttConnectReasonCode.Success, answer.ReasonCode);
        Assert.False(answer.IsSessionPresent);
        Assert.Equal(3, answer.ReceiveMaximum);
        Assert.Equal(2048u, answer.MaximumPacketSize);
        Assert.Equal(MqttQualityOfServiceLevel.AtLeastOnce, answer.MaximumQoS);
        Assert.Equal(0, answer.TopicAliasMaximum);
        Assert.False(answer.RetainAvailable);
        Assert.False(answer.SharedSubscriptionAvailable);
        Assert.False(answer.SubscriptionIdentifiersAvailable);
        Assert.True(answer.WildcardSubscriptionAvailable);
        Assert.Equal(100, answer.ServerKeepAlive);
        Assert.Equal("k=v", Assert.Single(answer.UserProperties) is var p ? $"{p.Name}={p.ReadValueAsString()}" : "");
        // The client's 60 s would hold without it: the session expires with its connection.
        Assert.Equal([0x11, 0, 0, 0, 0], bytes[5..10]);
    }

    [Fact]
    public void Long_connack_that_denies_an_expiry_is_whole()
    {
        var connect = MqttBytes.Connect("a");
        connect.SessionExpiryInterval = 1;
        _probe.Receive(connect);
        _session.Accept([new("k", new string('v', 100)), new("l", new string('w', 20_000))], _probe.Now);

        var answer = _probe.SentOne<MqttConnAckPacket>();

        Assert.Equal([100, 20_000], answer.UserProperties.Select(p => p.ReadValueAsString().Length));
        Assert.Equal((0u, 3), (answer.SessionExpiryInterval, answer.ReceiveMaximum));
    }

    [Fact]
    public void Pubacks_leave_in_the_order_of_arrival_whatever_the_order_of_verdicts()
    {
        Connect();
        var tickets = new[] { Publish(11), Publish(12), Publish(13) };

        Complete(tickets[2]);
        Complete(tickets[1], MqttReasonCode.QuotaExceeded);
        Assert.Empty(_probe.Sent());
        Complete(tickets[0]);

        Assert.Equal(
            [(11, MqttReasonCode.Success), (12, MqttReasonCode.QuotaExceeded), (13, MqttReasonCode.Success)],
            _probe.Sent().Cast<MqttPubAckPacket>()
                .Select(p => ((int)p.PacketIdentifier, (MqttReasonCode)p.ReasonCode)));
    }

    [Fact]
    public void Message_beyond_the_receive_maximum_ends_the_session_with_0x93()
    {
        Connect();
        for (ushort id = 1; id <= 3; id++) Publish(id);
        Assert.Null(_session.Closed);

        _probe.Receive(Message(4));

        AssertEnded(MqttReasonCode.ReceiveMaximumExceeded);
    }

    [Fact]
    public void Packet_identifier_that_still_awaits_its_puback_is_a_protocol_error()
    {
        Connect();
        Publish(1);
        _probe.Receive(Message(1));
        AssertEnded(MqttReasonCode.ProtocolError);
    }

    [Fact]
    public void Disconnect_of_the_client_ends_the_session_without_an_answer()
    {
        Connect();
        _probe.Receive(new MqttDisconnectPacket());
        Assert.Equal(MqttCloseKind.Peer, _session.Closed!.Kind);
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Place_under_the_receive_maximum_is_free_once_the_puback_left()
    {
        Connect();
        var first = Publish(1);
        Publish(2);
        Publish(3);
        Complete(first);
        Assert.Single(_probe.Sent());

        Publish(1);

        Assert.Null(_session.Closed);
    }

    [Fact]
    public void Ping_is_answered_while_all_pubacks_are_withheld()
    {
        Connect();
        for (ushort id = 1; id <= 3; id++) Publish(id);

        _probe.Receive(MqttPingReqPacket.Instance);

        _probe.SentOne<MqttPingRespPacket>();
    }

    [Fact]
    public void Unacknowledged_qos0_messages_pause_reading_and_the_keep_alive()
    {
        Connect(keepAlive: 10);
        byte[] five = [.. Enumerable.Repeat(MqttBytes.Of(Message(0, qos: 0)), 5).SelectMany(b => b)];

        long left = _probe.Receive(five);

        Assert.Equal(five.Length * 2 / 5, left);
        Assert.False(_session.WantsInput);
        _probe.Wait(TimeSpan.FromHours(1));
        Assert.Null(_session.Closed);
        Complete(_probe.Next<MessageArrived>().Ticket);
        Assert.True(_session.WantsInput);
        _probe.Wait(TimeSpan.FromSeconds(14.9));
        Assert.Null(_session.Closed);
        _probe.Wait(TimeSpan.FromSeconds(0.2));
        Assert.Equal(MqttCloseKind.KeepAliveTimeout, _session.Closed!.Kind);
    }

    [Fact]
    public void Silence_of_one_and_a_half_keep_alives_ends_the_session_with_0x8D()
    {
        Connect(keepAlive: 10);
        _probe.Wait(TimeSpan.FromSeconds(14));
        _probe.Receive(MqttPingReqPacket.Instance);
        _probe.Wait(TimeSpan.FromSeconds(14.9));
        Assert.Null(_session.Closed);
        Assert.Equal(_probe.Now + TimeSpan.FromSeconds(0.1), _session.NextDeadline);

        _probe.Wait(TimeSpan.FromSeconds(0.1));

        Assert.Equal(MqttCloseKind.KeepAliveTimeout, _session.Closed!.Kind);
        Assert.Equal(
            MqttDisconnectReasonCode.KeepAliveTimeout,
            Assert.IsType<MqttDisconnectPacket>(_probe.Sent()[^1]).ReasonCode);
    }

    [Fact]
    public void Take_over_says_0x8E_after_the_pubacks_that_may_leave()
    {
        Connect();
        Complete(Publish(1));

        _session.Close(new MqttCloseReason(MqttCloseKind.TakenOver, MqttReasonCode.SessionTakenOver, "other"));

        var sent = _probe.Sent();
        Assert.Equal(1, Assert.IsType<MqttPubAckPacket>(sent[0]).PacketIdentifier);
        Assert.Equal(
            MqttDisconnectReasonCode.SessionTakenOver, Assert.IsType<MqttDisconnectPacket>(sent[1]).ReasonCode);
        Assert.Equal(MqttSendOutcome.Closed, Send("own/x"));
    }

    [Theory]
    [InlineData(MqttReasonCode.TopicAliasInvalid)]
    [InlineData(MqttReasonCode.QosNotSupported)]
    [InlineData(MqttReasonCode.RetainNotSupported)]
    [InlineData(MqttReasonCode.TopicNameInvalid)]
    [InlineData(MqttReasonCode.PacketTooLarge)]
    [InlineData(MqttReasonCode.ProtocolError)]
    [InlineData(MqttReasonCode.SubscriptionIdentifiersNotSupported)]
    public void What_is_not_served_ends_the_session_with_its_reason_code(MqttReasonCode code)
    {
        Connect();
        _probe.Receive(code switch
        {
            MqttReasonCode.TopicAliasInvalid =>
                MqttBytes.Packet(0x32, [.. MqttBytes.Text(""), 0, 1, .. MqttBytes.Properties(0x23, 0, 1)]),
            MqttReasonCode.QosNotSupported => MqttBytes.Of(Message(1, qos: 2)),
            MqttReasonCode.RetainNotSupported => MqttBytes.Of(Message(1, retain: true)),
            MqttReasonCode.TopicNameInvalid => MqttBytes.Of(Message(1, "own/+")),
            MqttReasonCode.PacketTooLarge => [0x30, 0xFF, 0xFF, 0xFF, 0x7F],
            MqttReasonCode.ProtocolError => MqttBytes.Of(MqttBytes.Connect("a")),
            _ => MqttBytes.Packet(0x82, [0, 1, .. MqttBytes.Properties(0x0B, 1), .. MqttBytes.Text("own/x"), 0]),
        });

        AssertEnded(code);
    }

    [Fact]
    public void Refused_qos1_message_gets_its_code_in_order_and_never_arrives()
    {
        Connect();
        var allowed = Publish(1);
        _probe.Receive(Message(2, "foreign/x"));
        Assert.Equal(MqttReasonCode.NotAuthorized, _probe.Next<PublishRefused>().ReasonCode);
        Assert.Empty(_session.Events);
        Assert.Empty(_probe.Sent());

        Complete(allowed);

        Assert.Equal([MqttReasonCode.Success, MqttReasonCode.NotAuthorized],
            _probe.Sent().Select(p => (MqttReasonCode)((MqttPubAckPacket)p).ReasonCode));
    }

    [Fact]
    public void Refused_qos0_message_has_no_answer_and_the_session_goes_on()
    {
        Connect();
        for (var i = 0; i < 10; i++)
        {
            // More than may wait for the application: a refused one holds no place.
            _probe.Receive(Message(0, "foreign/x", qos: 0));
            Assert.Equal(MqttReasonCode.NotAuthorized, _probe.Next<PublishRefused>().ReasonCode);
        }

        Assert.Empty(_probe.Sent());
        Complete(Publish(1));
        Assert.Equal(MqttPubAckReasonCode.Success, _probe.SentOne<MqttPubAckPacket>().ReasonCode);
    }

    [Fact]
    public void Subscribe_answers_each_filter_by_itself()
    {
        Connect();
        string[] filters = ["own/1", "foreign/#", "$share/g/own/2", "own/#/x", "own/2", "own/3", "own/1"];

        _probe.Receive(Subscribing(2, filters));

        var answer = _probe.SentOne<MqttSubAckPacket>();
        Assert.Equal(9, answer.PacketIdentifier);
        Assert.Equal(
            [MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized, MqttReasonCode.SharedSubscriptionsNotSupported,
                MqttReasonCode.TopicFilterInvalid, MqttReasonCode.GrantedQos1, MqttReasonCode.QuotaExceeded,
                MqttReasonCode.GrantedQos1],
            answer.ReasonCodes.Select(code => (MqttReasonCode)code));
    }
}
