using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using static Telemetry.Tests.Mqtt.SessionProbe;

namespace Telemetry.Tests.Mqtt;

/// <summary>A listener's session with small limits, and the steps that its tests share.</summary>
public abstract class ServerSessionScene
{
    private protected static readonly MqttSessionLimits Limits = new()
    {
        ReceiveMaximum = 3,
        PacketBytesMax = 2048,
        ConnectBytesMax = 512,
        QueuedMessagesMax = 4,
        SubscriptionsMax = 2,
        KeepAliveMax = TimeSpan.FromSeconds(100),
    };

    private protected readonly ServerSession _session;
    private protected readonly SessionProbe _probe;

    protected ServerSessionScene()
    {
        _session = new ServerSession(Limits, new OwnTopicsOnly(), TimeSpan.Zero);
        _probe = new SessionProbe(_session);
    }

    private protected void Connect(ushort keepAlive = 60, PropertyList? properties = null)
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

    private protected void Subscribe(string filter, byte qos)
    {
        _probe.Receive(new SubscribePacket(1, [new(filter, qos)], PropertyList.Empty).Write);
        Assert.Equal(PacketType.SubAck, Assert.Single(_probe.Sent()).Type);
    }

    private protected MqttSendOutcome Send(string topic) =>
        _session.TrySend(new OutgoingPublish { Topic = topic, Payload = new byte[1], Qos = MqttQos.AtLeastOnce });

    private protected IncomingPublish Publish(ushort id)
    {
        _probe.Receive(Message(id));
        return _probe.Next<MessageArrived>().Ticket;
    }

    private protected void Complete(IncomingPublish ticket, MqttReasonCode code = MqttReasonCode.Success) =>
        _session.Complete(ticket, code, PropertyList.Empty, _probe.Now);

    private protected void AssertEnded(MqttReasonCode code)
    {
        Assert.Equal((MqttCloseKind.ProtocolError, code), (_session.Closed!.Kind, _session.Closed.ReasonCode));
        Assert.Equal(code, Disconnect(_probe.Sent()[^1]).ReasonCode);
    }
}
