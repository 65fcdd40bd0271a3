namespace Telemetry.MqttSessions;

/// <summary>Who or what ended a connection.</summary>
public enum MqttCloseKind
{
    /// <summary>The server or its application closed it on purpose.</summary>
    Local,
    /// <summary>The client said DISCONNECT.</summary>
    Peer,
    /// <summary>The server's CONNACK refused the connection.</summary>
    Refused,
    /// <summary>Another connection took over the client identifier.</summary>
    TakenOver,
    /// <summary>The client's bytes broke the protocol or a limit.</summary>
    ProtocolError,
    /// <summary>Nothing came from the client for too long.</summary>
    KeepAliveTimeout,
    /// <summary>The connection was not established in time.</summary>
    ConnectTimeout,
    /// <summary>The client did not take our bytes for too long.</summary>
    OutputStalled,
    /// <summary>The network connection ended without a DISCONNECT.</summary>
    ConnectionLost,
}

/// <summary>Why a connection ended.</summary>
/// <param name="Kind">Who or what ended it.</param>
/// <param name="ReasonCode">The code that was sent or received; 0x80 where the wire said nothing.</param>
/// <param name="Text">For people.</param>
public sealed record MqttCloseReason(MqttCloseKind Kind, MqttReasonCode ReasonCode, string Text);
