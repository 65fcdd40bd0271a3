using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>What a session tells the outside; taken from <see cref="MqttSession.Events"/> in order.</summary>
internal abstract record SessionEvent;

/// <summary>Client: the CONNACK came and is a success.</summary>
internal sealed record ConnectAnswered(ConnAckPacket Packet) : SessionEvent;

/// <summary>A message came; <see cref="MqttSession.Complete"/> has to be called once with the ticket.</summary>
internal sealed record MessageArrived(MqttMessage Message, IncomingPublish Ticket) : SessionEvent;

/// <summary>A message of ours was written (QoS 0) or acknowledged (QoS 1).</summary>
internal sealed record PublishAnswered(
    OutgoingPublish Publish, MqttReasonCode ReasonCode, PropertyList Properties) : SessionEvent;

/// <summary>Client: SUBACK or UNSUBACK came for the request that carried <paramref name="State"/>.</summary>
internal sealed record SubscribeAnswered(object State, SubscribeAckPacket Packet) : SessionEvent;

/// <summary>
/// The last event: nothing is taken any more; what output there is (a DISCONNECT) may still be written.
/// </summary>
internal sealed record SessionClosed(MqttCloseReason Reason) : SessionEvent;
