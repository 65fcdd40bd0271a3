using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

public sealed class ServerSessionTests : ServerSessionScene
{
    [Fact]
    public void Connack_says_honestly_what_is_served()
    {
        _probe.Receive(new ConnectPacket
        {
            ClientId = "a",
            CleanStart = false,
            Properties = new PropertyList().Add(PropertyId.SessionExpiryInterval, 60)
        }.Write);
        Assert.Equal("a", _probe.Next<ConnectRequested>().Packet.ClientId);
        Assert.Empty(_probe.Sent());
        _session.Accept([new("k", "v")], _probe.Now);

        var answer = ConnAck(Assert.Single(_probe.Sent()));

        Assert.Equal(MqttReasonCode.Success, answer.ReasonCode);
        Assert.False(answer.SessionPresent);
        Assert.Equal(3u, answer.Properties.Number(PropertyId.ReceiveMaximum));
        Assert.Equal(2048u, answer.Properties.Number(PropertyId.MaximumPacketSize));
        Assert.Equal(1u, answer.Properties.Number(PropertyId.MaximumQos));
        Assert.Equal(0u, answer.Properties.Number(PropertyId.TopicAliasMaximum));
        Assert.Equal(0u, answer.Properties.Number(PropertyId.RetainAvailable));
        Assert.Equal(0u, answer.Properties.Number(PropertyId.SharedSubscriptionAvailable));
        Assert.Equal(0u, answer.Properties.Number(PropertyId.SubscriptionIdentifierAvailable));
        Assert.Equal(1u, answer.Properties.Number(PropertyId.WildcardSubscriptionAvailable));
        Assert.Equal(0u, answer.Properties.Number(PropertyId.SessionExpiryInterval));
        Assert.Equal(100u, answer.Properties.Number(PropertyId.ServerKeepAlive));
        Assert.Equal([new MqttUserProperty("k", "v")], answer.Properties.UserProperties);
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
            _probe.Sent().Select(p => ((int)Ack(p).PacketId, Ack(p).ReasonCode)));
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
        _probe.Receive(new DisconnectPacket(PacketType.Disconnect, MqttReasonCode.Success, PropertyList.Empty).Write);
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

        _probe.Receive(new PingPacket(PacketType.PingReq).Write);

        Assert.Equal(PacketType.PingResp, Assert.Single(_probe.Sent()).Type);
    }

    [Fact]
    public void Unacknowledged_qos0_messages_pause_reading_and_the_keep_alive()
    {
        Connect(keepAlive: 10);
        var output = new ArrayBufferWriter<byte>();
        for (int i = 0; i < 5; i++) Message(0, qos: 0)(output);

        long left = _probe.Receive(output.WrittenSpan.ToArray());

        Assert.Equal(output.WrittenCount * 2 / 5, left);
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
        _probe.Receive(new PingPacket(PacketType.PingReq).Write);
        _probe.Wait(TimeSpan.FromSeconds(14.9));
        Assert.Null(_session.Closed);
        Assert.Equal(_probe.Now + TimeSpan.FromSeconds(0.1), _session.NextDeadline);

        _probe.Wait(TimeSpan.FromSeconds(0.1));

        Assert.Equal(MqttCloseKind.KeepAliveTimeout, _session.Closed!.Kind);
        Assert.Equal(MqttReasonCode.KeepAliveTimeout, Disconnect(_probe.Sent()[^1]).ReasonCode);
    }

    [Fact]
    public void Take_over_says_0x8E_after_the_pubacks_that_may_leave()
    {
        Connect();
        Complete(Publish(1));

        _session.Close(new MqttCloseReason(MqttCloseKind.TakenOver, MqttReasonCode.SessionTakenOver, "other"));

        var sent = _probe.Sent();
        Assert.Equal(1, Ack(sent[0]).PacketId);
        Assert.Equal(MqttReasonCode.SessionTakenOver, Disconnect(sent[1]).ReasonCode);
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
            MqttReasonCode.TopicAliasInvalid => Message(1, "", new PropertyList().Add(PropertyId.TopicAlias, 1)),
            MqttReasonCode.QosNotSupported => Message(1, qos: 2),
            MqttReasonCode.RetainNotSupported => Message(1, retain: true),
            MqttReasonCode.TopicNameInvalid => Message(1, "own/+"),
            MqttReasonCode.PacketTooLarge => o =>
                new PublishPacket("own/x", new byte[2048], 0, 0, PropertyList.Empty).Write(o),
            MqttReasonCode.ProtocolError => new ConnectPacket { ClientId = "a" }.Write,
            _ => new SubscribePacket(1, [new("own/x", 0)],
                new PropertyList().Add(PropertyId.SubscriptionIdentifier, 1)).Write,
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
            _probe.Sent().Select(p => Ack(p).ReasonCode));
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
        Assert.Equal(MqttReasonCode.Success, Ack(Assert.Single(_probe.Sent())).ReasonCode);
    }

    [Fact]
    public void Subscribe_answers_each_filter_by_itself()
    {
        Connect();
        string[] filters = ["own/1", "foreign/#", "$share/g/own/2", "own/#/x", "own/2", "own/3", "own/1"];

        _probe.Receive(new SubscribePacket(9, [.. filters.Select(f => new SubscribeFilter(f, 2))], PropertyList.Empty)
            .Write);

        var packet = Assert.Single(_probe.Sent());
        var reader = new BodyReader(packet.Body.ToArray());
        Assert.Equal(
            [MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized, MqttReasonCode.SharedSubscriptionsNotSupported,
                MqttReasonCode.TopicFilterInvalid, MqttReasonCode.GrantedQos1, MqttReasonCode.QuotaExceeded,
                MqttReasonCode.GrantedQos1],
            SubscribeAckPacket.Read(packet.Type, ref reader).ReasonCodes);
    }
}
