namespace Telemetry.Mqtt;

/// <summary>The connection could not be made, or broke before an operation was complete.</summary>
/// <remarks>
/// An operation that fails so may or may not have reached the peer: the client never sends again by itself.
/// </remarks>
public sealed class MqttConnectionException : Exception
{
    /// <summary>Makes one for a connection that ended.</summary>
    public MqttConnectionException(MqttCloseReason reason)
        : base($"MQTT connection closed: {reason?.Text}") => Reason = reason!;

    /// <summary>Makes one for a connection that was never made.</summary>
    public MqttConnectionException(MqttCloseReason reason, Exception inner)
        : base($"MQTT connection failed: {reason?.Text}", inner) => Reason = reason!;

    /// <summary>Why the connection ended.</summary>
    public MqttCloseReason Reason { get; }

    /// <summary>True when a new connection may help; false when the peer refuses for a reason that stays.</summary>
    public bool IsTransient => Reason.IsTransient;
}
