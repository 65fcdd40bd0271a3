using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Topics;

namespace Telemetry.Mqtt.Sessions;

/// <summary>Checks what an application wants to send, before it gets anywhere near a session.</summary>
internal static class OutgoingMessage
{
    /// <exception cref="ArgumentException">Topic, QoS or properties are invalid.</exception>
    public static OutgoingPublish Create(
        string topic, ReadOnlyMemory<byte> payload, MqttQos qos, IReadOnlyList<MqttUserProperty>? userProperties,
        object? state)
    {
        ArgumentNullException.ThrowIfNull(topic);
        if (!TopicName.IsValid(topic))
            throw new ArgumentException("topic name is empty, too long or has a wildcard", nameof(topic));
        WireText.Check(topic, nameof(topic));
        WireText.Check(userProperties);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, 1, nameof(qos));
        return new OutgoingPublish
        {
            Topic = topic,
            Payload = payload,
            Qos = qos,
            State = state,
            Properties = userProperties is { Count: > 0 } ? new PropertyList().Add(userProperties) : PropertyList.Empty,
        };
    }
}
