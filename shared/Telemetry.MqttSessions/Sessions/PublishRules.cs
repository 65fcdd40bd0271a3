using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Topics;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>What a well-formed PUBLISH must not ask for, as the CONNACK has said that it is not served.</summary>
internal static class PublishRules
{
    /// <exception cref="MqttProtocolException">0x94, 0x9B, 0x90 or 0x9A.</exception>
    public static void Check(MqttPublishPacket packet)
    {
        if (packet.TopicAlias != 0)
            throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "topic alias, though none is allowed");
        if (packet.QualityOfServiceLevel == MqttQualityOfServiceLevel.ExactlyOnce)
            throw new MqttProtocolException(MqttReasonCode.QosNotSupported, "QoS 2 is not served");
        if (!TopicName.IsValid(packet.Topic))
            throw new MqttProtocolException(MqttReasonCode.TopicNameInvalid, "topic name is empty or has a wildcard");
        if (packet.Retain)
            throw new MqttProtocolException(MqttReasonCode.RetainNotSupported, "retained messages are not served");
    }
}
