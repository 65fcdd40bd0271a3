using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Packets;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>What a CONNACK says. Source: MQTT 5.0, 3.2.</summary>
internal static class ConnectAnswer
{
    /// <summary>The property Session Expiry Interval with the value 0.</summary>
    private static ReadOnlySpan<byte> NoExpiry => [0x11, 0, 0, 0, 0];

    /// <summary>
    /// The answer in version 3.1.1 to a level that is not served: return code 1. Source: MQTT 3.1.1, 3.2.2.3.
    /// </summary>
    public static ReadOnlySpan<byte> RefusedLevel311 => [0x20, 0x02, 0x00, 0x01];

    /// <summary>Why a well-formed CONNECT of version 5 is not served; null when it is.</summary>
    public static (MqttReasonCode Code, string Text)? Refusal(MqttConnectPacket connect) =>
        connect.AuthenticationMethod is not null
            ? (MqttReasonCode.BadAuthenticationMethod, "extended authentication is not served")
        : connect.ClientId.Length == 0
            ? (MqttReasonCode.ClientIdentifierNotValid, "a client identifier is needed")
        : connect.WillFlag
            ? (MqttReasonCode.ImplementationSpecificError, "will messages are not served")
        : null;

    /// <summary>A failure. Whatever it says of the server's abilities is the protocol's default.</summary>
    public static MqttConnAckPacket Refused(MqttReasonCode code, string text) => new()
    {
        ReasonCode = (MqttConnectReasonCode)code,
        ReasonString = text,
        MaximumQoS = MqttQualityOfServiceLevel.ExactlyOnce,
        RetainAvailable = true,
        WildcardSubscriptionAvailable = true,
        SubscriptionIdentifiersAvailable = true,
        SharedSubscriptionAvailable = true,
    };

    /// <summary>
    /// The success: session present 0, and what this server serves. A keep-alive of 0 says that the client's own holds.
    /// </summary>
    public static MqttConnAckPacket Accepted(
        MqttSessionLimits limits, ushort serverKeepAlive, IReadOnlyList<MqttUserProperty>? userProperties) => new()
        {
            ReasonCode = MqttConnectReasonCode.Success,
            ReceiveMaximum = (ushort)limits.ReceiveMaximum,
            MaximumQoS = MqttQualityOfServiceLevel.AtLeastOnce,
            RetainAvailable = false,
            MaximumPacketSize = (uint)limits.PacketBytesMax,
            WildcardSubscriptionAvailable = true,
            SubscriptionIdentifiersAvailable = false,
            SharedSubscriptionAvailable = false,
            ServerKeepAlive = serverKeepAlive,
            UserProperties = PacketCodec.ToCodec(userProperties),
        };

    /// <summary>
    /// Writes a CONNACK that says that the session ends with its connection. MQTTnet leaves an expiry of 0 out, and
    /// without one the client's own would hold.
    /// </summary>
    public static void WriteWithoutExpiry(MqttConnAckPacket packet, IBufferWriter<byte> output)
    {
        var encoded = new ArrayBufferWriter<byte>(256);
        PacketCodec.Write(packet, encoded);
        var body = new BodyScanner(encoded.WrittenSpan[1..]);
        body.VariableInt();
        var outcome = body.Take(2);
        var properties = body.Take((int)body.VariableInt());
        int propertyBytes = NoExpiry.Length + properties.Length;
        output.Write<byte>([0x20]);
        VariableInt.Write(outcome.Length + VariableInt.Bytes(propertyBytes) + propertyBytes, output);
        output.Write(outcome);
        VariableInt.Write(propertyBytes, output);
        output.Write(NoExpiry);
        output.Write(properties);
    }
}
