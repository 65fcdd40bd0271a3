namespace Telemetry.MqttSessions;

/// <summary>
/// What an MQTT 5.0 packet says about an outcome. From 0x80 on it is a failure. Source: MQTT 5.0, 2.4.
/// </summary>
public enum MqttReasonCode : byte
{
    /// <summary>0x00: success, normal disconnection, or granted QoS 0.</summary>
    Success = 0x00,
    /// <summary>0x01: subscription granted with QoS 1.</summary>
    GrantedQos1 = 0x01,
    /// <summary>0x02: subscription granted with QoS 2.</summary>
    GrantedQos2 = 0x02,
    /// <summary>0x04: the client leaves and wants its will published.</summary>
    DisconnectWithWill = 0x04,
    /// <summary>0x10: the message was taken, but nobody subscribes to it.</summary>
    NoMatchingSubscribers = 0x10,
    /// <summary>0x11: there was no such subscription.</summary>
    NoSubscriptionExisted = 0x11,
    /// <summary>0x18: an extended authentication goes on.</summary>
    ContinueAuthentication = 0x18,
    /// <summary>0x19: an extended authentication begins anew.</summary>
    ReAuthenticate = 0x19,
    /// <summary>0x80: failure for a reason that is not said.</summary>
    UnspecifiedError = 0x80,
    /// <summary>0x81: the bytes are no valid packet.</summary>
    MalformedPacket = 0x81,
    /// <summary>0x82: a valid packet that the protocol does not allow here.</summary>
    ProtocolError = 0x82,
    /// <summary>0x83: valid, but refused by this implementation.</summary>
    ImplementationSpecificError = 0x83,
    /// <summary>0x84: this version of MQTT is not served.</summary>
    UnsupportedProtocolVersion = 0x84,
    /// <summary>0x85: the client identifier is refused.</summary>
    ClientIdentifierNotValid = 0x85,
    /// <summary>0x86: wrong user name or password.</summary>
    BadUserNameOrPassword = 0x86,
    /// <summary>0x87: not allowed to do this.</summary>
    NotAuthorized = 0x87,
    /// <summary>0x88: the server is not available now.</summary>
    ServerUnavailable = 0x88,
    /// <summary>0x89: the server is busy.</summary>
    ServerBusy = 0x89,
    /// <summary>0x8A: the client is banned.</summary>
    Banned = 0x8A,
    /// <summary>0x8B: the server is stopping.</summary>
    ServerShuttingDown = 0x8B,
    /// <summary>0x8C: the authentication method is not served.</summary>
    BadAuthenticationMethod = 0x8C,
    /// <summary>0x8D: nothing came for 1.5 times the keep-alive.</summary>
    KeepAliveTimeout = 0x8D,
    /// <summary>0x8E: another connection took over this client identifier.</summary>
    SessionTakenOver = 0x8E,
    /// <summary>0x8F: the topic filter is well formed, but refused.</summary>
    TopicFilterInvalid = 0x8F,
    /// <summary>0x90: the topic name is well formed, but refused.</summary>
    TopicNameInvalid = 0x90,
    /// <summary>0x91: the packet identifier is in use.</summary>
    PacketIdentifierInUse = 0x91,
    /// <summary>0x92: the packet identifier is not known.</summary>
    PacketIdentifierNotFound = 0x92,
    /// <summary>0x93: more unacknowledged messages than the receiver allows.</summary>
    ReceiveMaximumExceeded = 0x93,
    /// <summary>0x94: a topic alias that is 0 or greater than allowed.</summary>
    TopicAliasInvalid = 0x94,
    /// <summary>0x95: the packet is larger than the receiver takes.</summary>
    PacketTooLarge = 0x95,
    /// <summary>0x96: messages come too fast.</summary>
    MessageRateTooHigh = 0x96,
    /// <summary>0x97: a limit set by the operator or by this implementation is reached.</summary>
    QuotaExceeded = 0x97,
    /// <summary>0x98: closed by the operator.</summary>
    AdministrativeAction = 0x98,
    /// <summary>0x99: the payload is not what the receiver takes for this topic.</summary>
    PayloadFormatInvalid = 0x99,
    /// <summary>0x9A: retained messages are not served.</summary>
    RetainNotSupported = 0x9A,
    /// <summary>0x9B: this QoS is not served.</summary>
    QosNotSupported = 0x9B,
    /// <summary>0x9C: use another server for now.</summary>
    UseAnotherServer = 0x9C,
    /// <summary>0x9D: use another server for good.</summary>
    ServerMoved = 0x9D,
    /// <summary>0x9E: shared subscriptions are not served.</summary>
    SharedSubscriptionsNotSupported = 0x9E,
    /// <summary>0x9F: connections come too fast.</summary>
    ConnectionRateExceeded = 0x9F,
    /// <summary>0xA0: the longest time a connection may last is over.</summary>
    MaximumConnectTime = 0xA0,
    /// <summary>0xA1: subscription identifiers are not served.</summary>
    SubscriptionIdentifiersNotSupported = 0xA1,
    /// <summary>0xA2: wildcard subscriptions are not served.</summary>
    WildcardSubscriptionsNotSupported = 0xA2,
}
