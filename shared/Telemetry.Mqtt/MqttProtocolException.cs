namespace Telemetry.Mqtt;

/// <summary>
/// The peer's bytes break MQTT 5.0 or a limit of ours. It ends that connection and nothing else;
/// <see cref="ReasonCode"/> is what the peer is told.
/// </summary>
/// <param name="reasonCode">From 0x80 on.</param>
/// <param name="message">What was wrong, without the peer's data.</param>
public sealed class MqttProtocolException(MqttReasonCode reasonCode, string message) : Exception(message)
{
    /// <summary>The wire's reason code, from 0x80 on.</summary>
    public MqttReasonCode ReasonCode { get; } = reasonCode;

    internal static MqttProtocolException Malformed(string message) => new(MqttReasonCode.MalformedPacket, message);

    internal static MqttProtocolException Protocol(string message) => new(MqttReasonCode.ProtocolError, message);
}
