using MQTTnet.Packets;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>What a session tells the outside; taken from <see cref="ServerSession.Events"/> in order.</summary>
internal abstract record SessionEvent;

/// <summary>A CONNECT came and has to be answered by Accept or Refuse.</summary>
internal sealed record ConnectRequested(MqttConnectPacket Packet) : SessionEvent;

/// <summary>A message came; <see cref="ServerSession.Complete"/> has to be called once with the ticket.</summary>
internal sealed record MessageArrived(MqttMessage Message, IncomingPublish Ticket) : SessionEvent;

/// <summary>A message was refused by the authoriser.</summary>
internal sealed record PublishRefused(MqttReasonCode ReasonCode) : SessionEvent;

/// <summary>A filter was refused by the authoriser or a limit.</summary>
internal sealed record SubscribeRefused(MqttReasonCode ReasonCode) : SessionEvent;

/// <summary>
/// The last event: nothing is taken any more; what output there is (a DISCONNECT) may still be written.
/// </summary>
internal sealed record SessionClosed(MqttCloseReason Reason) : SessionEvent;
