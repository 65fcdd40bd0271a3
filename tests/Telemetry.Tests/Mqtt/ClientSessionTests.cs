using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

public sealed class ClientSessionTests
{
    private static readonly MqttClientOptions Options = new()
    {
        Host = "h",
        ClientId = "a",
        KeepAlive = TimeSpan.FromSeconds(20),
        PingResponseTimeout = TimeSpan.FromSeconds(5),
        Limits = new MqttSessionLimits { ReceiveMaximum = 2, QueuedMessagesMax = 4 },
    };

    private readonly ClientSession _session = new(Options);
    private readonly SessionProbe _probe;

    public ClientSessionTests() => _probe = new SessionProbe(_session);

    [Fact]
    public void Window_never_exceeds_the_receive_maximum_of_the_server()
    {
        Connect(new PropertyList().Add(PropertyId.ReceiveMaximum, 2));
        for (int i = 0; i < 4; i++) Assert.Equal(EnqueueOutcome.Queued, _session.TryPublish(Outgoing($"t/{i}")));
        Assert.Equal(EnqueueOutcome.Full, _session.TryPublish(Outgoing("t/4")));

        var sent = _probe.Sent().ConvertAll(Publish);
        Assert.Equal(["t/0", "t/1"], sent.Select(p => p.Topic));
        Acknowledge(sent[1].PacketId);

        Assert.Equal("t/2", Publish(Assert.Single(_probe.Sent())).Topic);
        Assert.Equal(2, _session.Outgoing.InFlight);
    }

    [Fact]
    public void Puback_tells_reason_code_and_user_properties()
    {
        Connect();
        var publish = Outgoing("t");
        _session.TryPublish(publish);
        ushort id = Publish(Assert.Single(_probe.Sent())).PacketId;

        _probe.Receive(new PublishAckPacket(PacketType.PubAck, id, MqttReasonCode.QuotaExceeded,
            new PropertyList().Add([new("receipt", "1")])).Write);

        var answer = _probe.Next<PublishAnswered>();
        Assert.Same(publish, answer.Publish);
        Assert.Equal(MqttReasonCode.QuotaExceeded, answer.ReasonCode);
        Assert.Equal([new MqttUserProperty("receipt", "1")], answer.Properties.UserProperties);
    }

    [Fact]
    public void Cancelled_publish_that_waits_is_never_sent()
    {
        Connect(new PropertyList().Add(PropertyId.ReceiveMaximum, 1));
        var publishes = Enumerable.Range(0, 3).Select(i => Outgoing($"t/{i}")).ToArray();
        foreach (var publish in publishes) _session.TryPublish(publish);
        ushort first = Publish(Assert.Single(_probe.Sent())).PacketId;
        publishes[1].IsCancelled = true;

        Acknowledge(first);

        Assert.Equal("t/2", Publish(Assert.Single(_probe.Sent())).Topic);
    }

    [Fact]
    public void Lost_connection_names_all_that_was_not_acknowledged()
    {
        Connect(new PropertyList().Add(PropertyId.ReceiveMaximum, 1));
        var publishes = Enumerable.Range(0, 3).Select(i => Outgoing($"t/{i}")).ToArray();
        foreach (var publish in publishes) _session.TryPublish(publish);
        _probe.Sent();

        _session.ConnectionLost("cut");

        Assert.Equal(MqttCloseKind.ConnectionLost, _probe.Next<SessionClosed>().Reason.Kind);
        Assert.Equal(publishes, _session.Outgoing.Abandon());
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Ping_goes_out_after_a_keep_alive_without_traffic_and_its_answer_is_awaited()
    {
        Connect();
        _probe.Wait(TimeSpan.FromSeconds(19.9));
        Assert.Empty(_probe.Sent());
        _probe.Wait(TimeSpan.FromSeconds(0.1));
        Assert.Equal(PacketType.PingReq, Assert.Single(_probe.Sent()).Type);
        _probe.Wait(TimeSpan.FromSeconds(4.9));
        Assert.Null(_session.Closed);
        _probe.Receive(new PingPacket(PacketType.PingResp).Write);
        _probe.Wait(TimeSpan.FromSeconds(15));
        Assert.Empty(_probe.Sent());
        _probe.Wait(TimeSpan.FromSeconds(0.1));
        Assert.Equal(PacketType.PingReq, Assert.Single(_probe.Sent()).Type);

        _probe.Wait(TimeSpan.FromSeconds(5));

        Assert.Equal(MqttCloseKind.KeepAliveTimeout, _session.Closed!.Kind);
    }

    [Fact]
    public void Publishing_alone_does_not_replace_the_proof_that_the_server_lives()
    {
        Connect();
        for (int i = 0; i < 20; i++)
        {
            _probe.Wait(TimeSpan.FromSeconds(1));
            _session.TryPublish(new OutgoingPublish { Topic = "t" });
            if (i < 19) Assert.Equal(PacketType.Publish, Assert.Single(_probe.Sent()).Type);
        }
        Assert.Contains(_probe.Sent(), p => p.Type == PacketType.PingReq);
    }

    [Fact]
    public void Ping_is_patient_while_our_bytes_still_move_over_a_slow_link()
    {
        Connect();
        _probe.Wait(TimeSpan.FromSeconds(20));
        for (int i = 0; i < 10; i++)
        {
            _session.TryPublish(new OutgoingPublish { Topic = "t" });
            _probe.Sent();
            _probe.Wait(TimeSpan.FromSeconds(4));
            Assert.Null(_session.Closed);
        }
        _probe.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(MqttCloseKind.KeepAliveTimeout, _session.Closed!.Kind);
    }

    [Fact]
    public void Keep_alive_of_the_server_replaces_ours()
    {
        Connect(new PropertyList().Add(PropertyId.ServerKeepAlive, 3));
        _probe.Wait(TimeSpan.FromSeconds(3));
        Assert.Equal(PacketType.PingReq, Assert.Single(_probe.Sent()).Type);
    }

    [Fact]
    public void Missing_connack_ends_the_attempt()
    {
        _session.Start(_probe.Now);
        Assert.Equal(PacketType.Connect, Assert.Single(_probe.Sent()).Type);
        _probe.Wait(Options.ConnectTimeout);
        Assert.Equal(MqttCloseKind.ConnectTimeout, _session.Closed!.Kind);
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Refusing_connack_ends_with_its_code_and_words()
    {
        _session.Start(_probe.Now);
        _probe.Receive(new ConnAckPacket(MqttReasonCode.Banned, false,
            new PropertyList().Add(PropertyId.ReasonString, "go away")).Write);
        Assert.Equal(new MqttCloseReason(MqttCloseKind.Refused, MqttReasonCode.Banned, "go away"), _session.Closed);
        Assert.False(_session.Closed!.IsTransient);
    }

    [Fact]
    public void Received_messages_are_acknowledged_in_order_once_handled()
    {
        Connect();
        _probe.Receive(Message(1, "t"));
        _probe.Receive(Message(2, "t"));
        var first = _probe.Next<MessageArrived>().Ticket;
        var second = _probe.Next<MessageArrived>().Ticket;

        _session.Complete(second, 0, PropertyList.Empty, _probe.Now);
        Assert.Empty(_probe.Sent());
        _session.Complete(first, 0, PropertyList.Empty, _probe.Now);

        Assert.Equal([1, 2], _probe.Sent().Select(p => (int)Ack(p).PacketId));
    }

    [Theory]
    [InlineData(MqttReasonCode.ReceiveMaximumExceeded)]
    [InlineData(MqttReasonCode.TopicAliasInvalid)]
    [InlineData(MqttReasonCode.QosNotSupported)]
    [InlineData(MqttReasonCode.ProtocolError)]
    public void Server_that_breaks_a_rule_is_told_the_code(MqttReasonCode code)
    {
        Connect();
        switch (code)
        {
            case MqttReasonCode.ReceiveMaximumExceeded:
                for (ushort id = 1; id <= 3; id++) _probe.Receive(Message(id, "t"));
                break;
            case MqttReasonCode.TopicAliasInvalid:
                _probe.Receive(Message(1, "t", new PropertyList().Add(PropertyId.TopicAlias, 1)));
                break;
            case MqttReasonCode.QosNotSupported:
                _probe.Receive(Message(1, "t", qos: 2));
                break;
            default:
                Acknowledge(77);
                break;
        }
        Assert.Equal(code, Disconnect(_probe.Sent()[^1]).ReasonCode);
        Assert.Equal(MqttCloseKind.ProtocolError, _session.Closed!.Kind);
    }

    [Fact]
    public void Take_over_is_told_apart_from_other_disconnects()
    {
        Connect();
        _probe.Receive(new DisconnectPacket(PacketType.Disconnect, MqttReasonCode.SessionTakenOver,
            PropertyList.Empty).Write);
        Assert.Equal(MqttCloseKind.TakenOver, _session.Closed!.Kind);
        Assert.Empty(_probe.Sent());
    }

    [Fact]
    public void Subscribe_is_answered_with_a_code_for_each_filter()
    {
        Connect();
        object state = new();
        Assert.True(_session.TrySubscribe([new("$share/g/t", 1), new("u", 1)], state));
        Assert.Equal(PacketType.Subscribe, Assert.Single(_probe.Sent()).Type);

        _probe.Receive(new SubscribeAckPacket(PacketType.SubAck, 1,
            [MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized], PropertyList.Empty).Write);

        Assert.Same(state, _probe.Next<SubscribeAnswered>().State);
    }

    private void Connect(PropertyList? properties = null)
    {
        _session.Start(_probe.Now);
        Assert.Equal(PacketType.Connect, Assert.Single(_probe.Sent()).Type);
        _probe.Receive(new ConnAckPacket(MqttReasonCode.Success, false, properties ?? PropertyList.Empty).Write);
        _probe.Next<ConnectAnswered>();
    }

    private void Acknowledge(ushort id) =>
        _probe.Receive(new PublishAckPacket(PacketType.PubAck, id, 0, PropertyList.Empty).Write);

    private static OutgoingPublish Outgoing(string topic) =>
        new() { Topic = topic, Qos = MqttQos.AtLeastOnce, State = new object() };
}
