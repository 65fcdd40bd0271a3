namespace Telemetry.MqttSessions;

/// <summary>
/// A name and a value that travel beside a packet. Names may repeat, order is kept. Source: MQTT 5.0, 2.2.2.2.
/// </summary>
/// <param name="Name">At most 65,535 bytes of UTF-8 without U+0000.</param>
/// <param name="Value">At most 65,535 bytes of UTF-8 without U+0000.</param>
public readonly record struct MqttUserProperty(string Name, string Value);
