using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt;

/// <summary>The server's answer to CONNECT.</summary>
public sealed record ConnectResult
{
    /// <summary>Success, or why the server refused (then the connection is closed).</summary>
    public required MqttReasonCode ReasonCode { get; init; }

    /// <summary>The server's words; null when it said none.</summary>
    public string? ReasonString { get; init; }

    /// <summary>How many QoS 1 messages may be unacknowledged at once.</summary>
    public int ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Largest packet that the server takes, bytes.</summary>
    public long PacketBytesMax { get; init; } = PacketScanner.PacketBytesLargest;

    /// <summary>Greatest QoS that the server takes.</summary>
    public MqttQos MaximumQos { get; init; } = MqttQos.ExactlyOnce;

    /// <summary>Keep-alive that the server wants in place of ours; null leaves ours.</summary>
    public TimeSpan? ServerKeepAlive { get; init; }

    /// <summary>User properties of the CONNACK.</summary>
    public IReadOnlyList<MqttUserProperty> UserProperties { get; init; } = [];

    /// <summary>True when the connection is up.</summary>
    public bool IsSuccess => ReasonCode < MqttReasonCode.UnspecifiedError;

    internal static ConnectResult From(ConnAckPacket packet) => new()
    {
        ReasonCode = packet.ReasonCode,
        ReasonString = packet.Properties.Text(PropertyId.ReasonString),
        ReceiveMaximum = (int)(packet.Properties.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue),
        PacketBytesMax = packet.Properties.Number(PropertyId.MaximumPacketSize) ?? PacketScanner.PacketBytesLargest,
        MaximumQos = (MqttQos)(packet.Properties.Number(PropertyId.MaximumQos) ?? 2),
        ServerKeepAlive = packet.Properties.Number(PropertyId.ServerKeepAlive) is { } seconds
            ? TimeSpan.FromSeconds(seconds) : null,
        UserProperties = packet.Properties.UserProperties,
    };
}
