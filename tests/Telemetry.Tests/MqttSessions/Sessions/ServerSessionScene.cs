using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Sessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Tests.MqttSessions.Sessions;

/// <summary>A session with small limits, and the steps that its tests share.</summary>
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

    private protected void Connect(ushort keepAlive = 60, Action<MqttConnectPacket>? with = null)
    {
        var connect = MqttBytes.Connect("a", keepAlive);
        with?.Invoke(connect);
        _probe.Receive(connect);
        _probe.Next<ConnectRequested>();
        _session.Accept(null, _probe.Now);
        Assert.Equal(MqttConnectReasonCode.Success, _probe.SentOne<MqttConnAckPacket>().ReasonCode);
    }

    private protected void Subscribe(string filter, byte qos)
    {
        _probe.Receive(SessionProbe.Subscribing(qos, filter));
        _probe.SentOne<MqttSubAckPacket>();
    }

    private protected MqttSendOutcome Send(string topic) =>
        _session.TrySend(new OutgoingPublish { Topic = topic, Payload = new byte[1], Qos = MqttQos.AtLeastOnce });

    private protected IncomingPublish Publish(ushort id)
    {
        _probe.Receive(SessionProbe.Message(id));
        return _probe.Next<MessageArrived>().Ticket;
    }

    private protected void Complete(IncomingPublish ticket, MqttReasonCode code = MqttReasonCode.Success) =>
        _session.Complete(ticket, new PublishVerdict(code), _probe.Now);

    private protected void AssertEnded(MqttReasonCode code)
    {
        Assert.Equal((MqttCloseKind.ProtocolError, code), (_session.Closed!.Kind, _session.Closed.ReasonCode));
        Assert.Equal(code, (MqttReasonCode)Assert.IsType<MqttDisconnectPacket>(_probe.Sent()[^1]).ReasonCode);
    }
}
