using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Sessions;

namespace Telemetry.Tests.MqttSessions.Sessions;

public sealed class ServerSessionOutputTests : ServerSessionScene
{
    [Fact]
    public void Messages_to_the_client_keep_its_receive_maximum_and_the_queue_limit()
    {
        Connect(with: connect => connect.ReceiveMaximum = 2);
        Subscribe("own/#", qos: 1);
        for (int i = 0; i < 4; i++) Assert.Equal(MqttSendOutcome.Queued, Send("own/x"));
        Assert.Equal(MqttSendOutcome.QueueFull, Send("own/x"));

        var window = _probe.Sent().ConvertAll(Assert.IsType<MqttPublishPacket>);
        Assert.Equal(2, window.Count);
        Assert.Equal(MqttSendOutcome.Queued, Send("own/y"));
        _probe.Receive(new MqttPubAckPacket { PacketIdentifier = window[1].PacketIdentifier });

        _probe.SentOne<MqttPublishPacket>();
    }

    [Fact]
    public void Acknowledgement_of_nothing_is_a_protocol_error()
    {
        Connect();
        _probe.Receive(new MqttPubAckPacket { PacketIdentifier = 1 });
        AssertEnded(MqttReasonCode.ProtocolError);
    }

    [Fact]
    public void Message_is_sent_only_to_a_matching_subscription_with_the_granted_qos()
    {
        Connect();
        Subscribe("own/down", qos: 0);

        Assert.Equal(MqttSendOutcome.NotSubscribed, Send("own/up"));
        Assert.Equal(MqttSendOutcome.Queued, Send("own/down"));

        Assert.Equal(
            MqttQualityOfServiceLevel.AtMostOnce, _probe.SentOne<MqttPublishPacket>().QualityOfServiceLevel);
    }

    [Fact]
    public void Message_carries_its_payload_and_user_properties_in_as_many_bytes_as_were_counted()
    {
        Connect();
        Subscribe("own/#", qos: 1);
        var publish = OutgoingPublish.Create(
            "own/ä", new byte[200], MqttQos.AtLeastOnce, [new("k", "€"), new("", "")]);
        _session.TrySend(publish);

        var bytes = _probe.SentBytes();

        Assert.Equal(publish.Bytes(), bytes.Length);
        var packet = Assert.IsType<MqttPublishPacket>(Assert.Single(Telemetry.TestKit.Mqtt.MqttBytes.Read(bytes)));
        Assert.Equal(("own/ä", 200), (packet.Topic, packet.Payload.Length));
        Assert.Equal(["k=€", "="], packet.UserProperties.Select(p => $"{p.Name}={p.ReadValueAsString()}"));
    }

    [Fact]
    public void Nothing_larger_than_the_client_takes_is_sent()
    {
        Connect(with: connect => connect.MaximumPacketSize = 60);
        Subscribe("own/#", qos: 1);
        Assert.Equal(MqttSendOutcome.TooLarge,
            _session.TrySend(new OutgoingPublish { Topic = "own/x", Payload = new byte[60] }));
        Assert.Equal(MqttSendOutcome.Queued,
            _session.TrySend(new OutgoingPublish { Topic = "own/x", Payload = new byte[40] }));
        Assert.Single(_probe.Sent());

        _session.Complete(
            Publish(1), new PublishVerdict(MqttReasonCode.Success, ReasonString: new string('r', 100)), _probe.Now);

        Assert.Equal(4, _probe.SentBytes().Length);
    }

    [Fact]
    public void Client_that_wants_no_problem_information_gets_bare_pubacks()
    {
        Connect(with: connect => connect.RequestProblemInformation = false);
        _session.Complete(Publish(1), new PublishVerdict(MqttReasonCode.Success, [new("k", "v")], "r"), _probe.Now);
        Assert.Equal([0x40, 2, 0, 1], _probe.SentBytes());
    }

    [Fact]
    public void Client_that_only_asks_and_never_reads_stops_being_read()
    {
        Connect();
        byte[] pings = [.. Enumerable.Repeat(new byte[] { 0xC0, 0 }, 100_000).SelectMany(p => p)];
        Assert.InRange(_probe.Receive(pings), 100_000, pings.Length);
        Assert.False(_session.WantsInput);
        Assert.InRange(_probe.SentBytes().Length / 2, 30_000, 40_000);
        Assert.True(_session.WantsInput);
    }

    [Fact]
    public void Client_that_does_not_read_is_given_up_after_the_stall_timeout()
    {
        Connect(keepAlive: 100);
        _probe.Receive(MqttPingReqPacket.Instance);
        _session.TakeOutput(new ArrayBufferWriter<byte>(), 1000, _probe.Now);
        _probe.Wait(Limits.OutputStallTimeout);
        Assert.Equal(MqttCloseKind.OutputStalled, _session.Closed!.Kind);
    }
}
