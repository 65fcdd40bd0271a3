using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

public sealed class ServerSessionOutputTests : ServerSessionScene
{
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
}
