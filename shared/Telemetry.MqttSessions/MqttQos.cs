namespace Telemetry.MqttSessions;

/// <summary>How surely a message is delivered over one hop. Source: MQTT 5.0, 4.3.</summary>
public enum MqttQos : byte
{
    /// <summary>QoS 0: sent once, not acknowledged.</summary>
    AtMostOnce = 0,
    /// <summary>QoS 1: acknowledged with a PUBACK.</summary>
    AtLeastOnce = 1,
    /// <summary>QoS 2: on the wire only; the listener does not serve it.</summary>
    ExactlyOnce = 2,
}
