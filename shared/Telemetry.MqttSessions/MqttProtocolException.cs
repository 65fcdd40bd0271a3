namespace Telemetry.MqttSessions;

/// <summary>
/// The client's bytes break MQTT 5.0 or a limit of ours. It ends that connection and nothing else;
/// <see cref="ReasonCode"/> is what the client is told.
/// </summary>
/// <param name="reasonCode">From 0x80 on.</param>
/// <param name="message">What was wrong, without the client's data.</param>
internal sealed class MqttProtocolException(MqttReasonCode reasonCode, string message) : Exception(message)
{
    /// <summary>The wire's reason code, from 0x80 on.</summary>
    public MqttReasonCode ReasonCode { get; } = reasonCode;

    internal static MqttProtocolException Malformed(string message) => new(MqttReasonCode.MalformedPacket, message);

    internal static MqttProtocolException Protocol(string message) => new(MqttReasonCode.ProtocolError, message);
}
