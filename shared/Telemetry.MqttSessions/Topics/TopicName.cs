namespace Telemetry.MqttSessions.Topics;

/// <summary>Names that messages are published to. Source: MQTT 5.0, 4.7.</summary>
internal static class TopicName
{
    /// <summary>True for 1 to 65,535 UTF-8 bytes without wildcards and U+0000.</summary>
    public static bool IsValid(string topic) =>
        topic.Length > 0 && topic.AsSpan().IndexOfAny('#', '+', '\0') < 0 && WireText.Fits(topic);
}
