namespace Telemetry.MqttSessions;

/// <summary>One received application message (PUBLISH). Source: MQTT 5.0, 3.3.</summary>
/// <remarks>
/// <see cref="Payload"/> belongs to the callee until the callback that got the message has finished (its task is
/// complete). Whoever needs the bytes for longer copies them.
/// </remarks>
public sealed class MqttMessage
{
    /// <summary>Topic name: 1 to 65,535 bytes of UTF-8, no wildcard.</summary>
    public required string Topic { get; init; }

    /// <summary>The payload's bytes; may be empty. See the remarks of this class on who owns them.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>QoS of this hop: 0 or 1.</summary>
    public MqttQos Qos { get; init; }

    /// <summary>True when the sender says that it may have sent this message before.</summary>
    public bool IsDuplicate { get; init; }

    /// <summary>User properties in the order of the wire; at most 64.</summary>
    public IReadOnlyList<MqttUserProperty> UserProperties { get; init; } = [];
}
