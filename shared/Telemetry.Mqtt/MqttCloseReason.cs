namespace Telemetry.Mqtt;

/// <summary>Who or what ended a connection.</summary>
public enum MqttCloseKind
{
    /// <summary>We closed it on purpose.</summary>
    Local,
    /// <summary>The peer said DISCONNECT.</summary>
    Peer,
    /// <summary>The server's CONNACK refused the connection.</summary>
    Refused,
    /// <summary>Another connection took over the client identifier.</summary>
    TakenOver,
    /// <summary>The peer's bytes broke the protocol or a limit.</summary>
    ProtocolError,
    /// <summary>Nothing came from the peer for too long.</summary>
    KeepAliveTimeout,
    /// <summary>The connection was not established in time.</summary>
    ConnectTimeout,
    /// <summary>The peer did not take our bytes for too long.</summary>
    OutputStalled,
    /// <summary>The network connection ended without a DISCONNECT.</summary>
    ConnectionLost,
    /// <summary>The application's callback failed.</summary>
    ApplicationError,
}

/// <summary>Why a connection ended.</summary>
/// <param name="Kind">Who or what ended it.</param>
/// <param name="ReasonCode">The code that was sent or received; 0x80 where the wire said nothing.</param>
/// <param name="Text">For people.</param>
public sealed record MqttCloseReason(MqttCloseKind Kind, MqttReasonCode ReasonCode, string Text)
{
    /// <summary>True when trying again, after a pause, may help without anyone changing a configuration.</summary>
    public bool IsTransient => Kind switch
    {
        MqttCloseKind.Refused or MqttCloseKind.Peer or MqttCloseKind.ProtocolError => ReasonCode
            is not (MqttReasonCode.UnsupportedProtocolVersion or MqttReasonCode.ClientIdentifierNotValid
                or MqttReasonCode.BadUserNameOrPassword or MqttReasonCode.NotAuthorized or MqttReasonCode.Banned
                or MqttReasonCode.BadAuthenticationMethod or MqttReasonCode.ServerMoved),
        _ => true,
    };
}
