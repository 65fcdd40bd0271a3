using System.Buffers;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions.Packets;
using Telemetry.MqttSessions.Topics;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>
/// One message of ours on its way to the client. The payload must stay unchanged until it is written.
/// </summary>
internal sealed class OutgoingPublish
{
    public required string Topic { get; init; }
    public ReadOnlyMemory<byte> Payload { get; init; }
    public MqttQos Qos { get; set; }
    public IReadOnlyList<MqttUserProperty>? UserProperties { get; init; }

    /// <summary>Checks what an application wants to send, before it gets anywhere near a session.</summary>
    /// <exception cref="ArgumentException">Topic, QoS or properties are invalid.</exception>
    public static OutgoingPublish Create(
        string topic, ReadOnlyMemory<byte> payload, MqttQos qos, IReadOnlyList<MqttUserProperty>? userProperties)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (!TopicName.IsValid(topic))
            throw new ArgumentException("topic name is empty, too long or has a wildcard", nameof(topic));
        WireText.Check(topic, nameof(topic));
        WireText.Check(userProperties);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, 1, nameof(qos));
        return new OutgoingPublish { Topic = topic, Payload = payload, Qos = qos, UserProperties = userProperties };
    }

    public MqttPublishPacket ToPacket(ushort packetId) => new()
    {
        Topic = Topic,
        Payload = new ReadOnlySequence<byte>(Payload),
        QualityOfServiceLevel = (MqttQualityOfServiceLevel)Qos,
        PacketIdentifier = packetId,
        UserProperties = PacketCodec.ToCodec(UserProperties),
    };

    /// <summary>Bytes of the whole packet, which has no property beside the user properties.</summary>
    public int Bytes()
    {
        int properties = 0;
        for (int i = 0; i < (UserProperties?.Count ?? 0); i++)
            properties += 1 + TextBytes(UserProperties![i].Name) + TextBytes(UserProperties[i].Value);
        int body = checked(TextBytes(Topic) + (Qos == MqttQos.AtMostOnce ? 0 : 2) + VariableInt.Bytes(properties)
            + properties + Payload.Length);
        return checked(1 + VariableInt.Bytes(body) + body);
    }

    private static int TextBytes(string text) => 2 + Encoding.UTF8.GetByteCount(text);
}
