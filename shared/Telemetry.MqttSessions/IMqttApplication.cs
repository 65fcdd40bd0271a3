namespace Telemetry.MqttSessions;

/// <summary>
/// What stands behind a listener. It may be called on many threads at once, for different sessions; for one session the
/// calls begin in the order of what happened.
/// </summary>
public interface IMqttApplication
{
    /// <summary>Decides whether a client is let in. A failure of the call refuses it with 0x80.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="ct">Ends when the connection does, or its time to connect.</param>
    ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct);

    /// <summary>
    /// A client was let in. Completes before the CONNACK is sent, and after <see cref="Disconnected"/> of an older
    /// session with the same client identifier. A failure of the call refuses the client with 0x88.
    /// </summary>
    ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct);

    /// <summary>
    /// A session for which <see cref="ConnectedAsync"/> was called has ended. Once each; must not wait.
    /// </summary>
    void Disconnected(IMqttServerSession session, MqttCloseReason reason);

    /// <summary>
    /// Says whether the session may publish to the topic: success, or a failure such as 0x87. Then the message goes no
    /// further and the session goes on: QoS 1 gets a PUBACK with that code; QoS 0, which has no answer (MQTT 5.0,
    /// 4.3.1), is thrown away, so an application that refuses it says so in another way. At once, without waiting.
    /// </summary>
    MqttReasonCode AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos);

    /// <summary>
    /// Says whether the session may subscribe: success, or a failure such as 0x87. At once, without waiting.
    /// </summary>
    MqttReasonCode AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos);

    /// <summary>
    /// A message came. The PUBACK of QoS 1 leaves when the call completes, in the order of arrival. Calls begin in the
    /// order of arrival without waiting for each other: up to the Receive Maximum run at once for a session. A
    /// failure of the call is answered with 0x80.
    /// </summary>
    /// <param name="session">From whom.</param>
    /// <param name="message">Its payload belongs to the callee until the call completes.</param>
    /// <param name="ct">Ends with the session.</param>
    ValueTask<PublishVerdict> PublishedAsync(IMqttServerSession session, MqttMessage message, CancellationToken ct);
}
