using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

public sealed class ServerSessionTests
{
    private static readonly MqttSessionLimits Limits = new()
    {
        ReceiveMaximum = 3,
        PacketBytesMax = 2048,
        ConnectBytesMax = 512,
        QueuedMessagesMax = 4,
        SubscriptionsMax = 2,
        KeepAliveMax = TimeSpan.FromSeconds(100),
    };

    private readonly ServerSession _session;
    private readonly SessionProbe _probe;

    public ServerSessionTests()
    {
        _session = new ServerSession(Limits, new OwnTopicsOnly(), TimeSpan.Zero);
        _probe = new SessionProbe(_session);
    }

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
    public void Refused_qos0_message_ends_the_session_as_it_has_no_answer()
    {
        Connect();
        _probe.Receive(Message(0, "foreign/x", qos: 0));
        _probe.Next<PublishRefused>();
        Assert.Equal(MqttReasonCode.NotAuthorized, Disconnect(Assert.Single(_probe.Sent())).ReasonCode);
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

    [Fact]
    public void Messages_to_the_client_keep_its_receive_maximum_and_the_queue_limit()
    {
        Connect(properties: new PropertyList().Add(PropertyId.ReceiveMaximum, 2));
        Subscribe("own/#", qos: 1);
        for (int i = 0; i < 4; i++) Assert.Equal(MqttSendOutcome.Queued, Send("own/x"));
        Assert.Equal(MqttSendOutcome.QueueFull, Send("own/x"));

        var window = _probe.Sent().ConvertAll(p => SessionProbe.Publish(p));
        Assert.Equal(2, window.Count);
        Assert.Equal(MqttSendOutcome.Queued, Send("own/y"));
        _probe.Receive(new PublishAckPacket(PacketType.PubAck, window[1].PacketId, 0, PropertyList.Empty).Write);

        Assert.Single(_probe.Sent());
    }

    [Fact]
    public void Message_is_sent_only_to_a_matching_subscription_with_the_granted_qos()
    {
        Connect();
        Subscribe("own/down", qos: 0);

        Assert.Equal(MqttSendOutcome.NotSubscribed, Send("own/up"));
        Assert.Equal(MqttSendOutcome.Queued, Send("own/down"));

        Assert.Equal(MqttQos.AtMostOnce, SessionProbe.Publish(Assert.Single(_probe.Sent())).Qos);
    }

    [Fact]
    public void Nothing_larger_than_the_client_takes_is_sent()
    {
        Connect(properties: new PropertyList().Add(PropertyId.MaximumPacketSize, 60));
        Subscribe("own/#", qos: 1);
        Assert.Equal(MqttSendOutcome.TooLarge,
            _session.TrySend(new OutgoingPublish { Topic = "own/x", Payload = new byte[60] }));
        Assert.Equal(MqttSendOutcome.Queued,
            _session.TrySend(new OutgoingPublish { Topic = "own/x", Payload = new byte[40] }));
        Assert.Single(_probe.Sent());

        _session.Complete(Publish(1), 0, new PropertyList().Add(PropertyId.ReasonString, new string('r', 100)),
            _probe.Now);

        Assert.Equal(4, Assert.Single(_probe.Sent()).Body.Length + 2);
    }

    [Fact]
    public void Client_that_wants_no_problem_information_gets_bare_pubacks()
    {
        Connect(properties: new PropertyList().Add(PropertyId.RequestProblemInformation, 0));
        _session.Complete(Publish(1), 0, new PropertyList().Add(PropertyId.ReasonString, "r"), _probe.Now);
        Assert.True(Ack(Assert.Single(_probe.Sent())).Properties.IsEmpty);
    }

    [Fact]
    public void Client_that_only_asks_and_never_reads_stops_being_read()
    {
        Connect();
        byte[] pings = [.. Enumerable.Repeat(new byte[] { 0xC0, 0 }, 100_000).SelectMany(p => p)];
        Assert.InRange(_probe.Receive(pings), 100_000, pings.Length);
        Assert.False(_session.WantsInput);
        Assert.InRange(_probe.Sent().Count, 30_000, 40_000);
        Assert.True(_session.WantsInput);
    }

    [Fact]
    public void Client_that_does_not_read_is_given_up_after_the_stall_timeout()
    {
        Connect(keepAlive: 100);
        _probe.Receive(new PingPacket(PacketType.PingReq).Write);
        _session.TakeOutput(new ArrayBufferWriter<byte>(), 1000, _probe.Now);
        _probe.Wait(Limits.OutputStallTimeout);
        Assert.Equal(MqttCloseKind.OutputStalled, _session.Closed!.Kind);
    }

    private void Connect(ushort keepAlive = 60, PropertyList? properties = null)
    {
        _probe.Receive(new ConnectPacket
        {
            ClientId = "a",
            KeepAliveSeconds = keepAlive,
            Properties = properties ?? PropertyList.Empty,
        }.Write);
        _probe.Next<ConnectRequested>();
        _session.Accept(null, _probe.Now);
        Assert.Equal(MqttReasonCode.Success, ConnAck(Assert.Single(_probe.Sent())).ReasonCode);
    }

    private void Subscribe(string filter, byte qos)
    {
        _probe.Receive(new SubscribePacket(1, [new(filter, qos)], PropertyList.Empty).Write);
        Assert.Equal(PacketType.SubAck, Assert.Single(_probe.Sent()).Type);
    }

    private MqttSendOutcome Send(string topic) =>
        _session.TrySend(new OutgoingPublish { Topic = topic, Payload = new byte[1], Qos = MqttQos.AtLeastOnce });

    private IncomingPublish Publish(ushort id)
    {
        _probe.Receive(Message(id));
        return _probe.Next<MessageArrived>().Ticket;
    }

    private void Complete(IncomingPublish ticket, MqttReasonCode code = MqttReasonCode.Success) =>
        _session.Complete(ticket, code, PropertyList.Empty, _probe.Now);

    private void AssertEnded(MqttReasonCode code)
    {
        Assert.Equal((MqttCloseKind.ProtocolError, code), (_session.Closed!.Kind, _session.Closed.ReasonCode));
        Assert.Equal(code, Disconnect(_probe.Sent()[^1]).ReasonCode);
    }
}
