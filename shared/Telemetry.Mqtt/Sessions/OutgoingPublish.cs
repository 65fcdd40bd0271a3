using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>One message of ours on its way to the peer. The payload must stay unchanged until it is written.</summary>
internal sealed class OutgoingPublish
{
    public required string Topic { get; init; }
    public ReadOnlyMemory<byte> Payload { get; init; }
    public MqttQos Qos { get; set; }
    public PropertyList Properties { get; init; } = PropertyList.Empty;

    /// <summary>Whom to tell; null when nobody waits for the outcome.</summary>
    public object? State { get; init; }

    /// <summary>Set when the caller gave up before it was written: then it is passed over.</summary>
    public bool IsCancelled { get; set; }

    public PublishPacket ToPacket(ushort packetId) => new(Topic, Payload, Qos, packetId, Properties);
}
