using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>PUBLISH: one application message. <see cref="Payload"/> lies in the memory that was read from.</summary>
/// <remarks>
/// <code>
///   flags: duplicate | QoS (2 bits) | retain
///   topic (text) · [packet id (2), QoS above 0] · properties · payload (the rest)
/// </code>
/// Source: MQTT 5.0, 3.3.
/// </remarks>
internal readonly record struct PublishPacket(
    string Topic, ReadOnlyMemory<byte> Payload, MqttQos Qos, ushort PacketId, PropertyList Properties,
    bool Duplicate = false, bool Retain = false)
{
    public static PublishPacket Read(byte flags, ReadOnlyMemory<byte> body)
    {
        var qos = (MqttQos)(flags >> 1 & 3);
        bool duplicate = (flags & 0x08) != 0;
        if (duplicate && qos == MqttQos.AtMostOnce) throw MqttProtocolException.Malformed("duplicate flag with QoS 0");
        var reader = new BodyReader(body.Span);
        string topic = reader.Text();
        ushort packetId = qos == MqttQos.AtMostOnce ? (ushort)0 : reader.PacketId();
        var properties = PropertyList.Read(ref reader, PropertyPlace.Publish);
        return new PublishPacket(
            topic, body[reader.Position..], qos, packetId, properties, duplicate, (flags & 0x01) != 0);
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Bytes() => PacketWriter.PacketBytes(BodyBytes());

    public void Write(IBufferWriter<byte> output)
    {
        byte flags = (byte)((Duplicate ? 0x08 : 0) | (byte)Qos << 1 | (Retain ? 0x01 : 0));
        var writer = PacketWriter.Begin(output, PacketType.Publish, BodyBytes(), flags);
        writer.Text(Topic);
        if (Qos != MqttQos.AtMostOnce) writer.UInt16(PacketId);
        Properties.Write(ref writer);
        writer.Raw(Payload.Span);
        writer.End();
    }

    private int BodyBytes() => checked(PacketWriter.TextBytes(Topic) + (Qos == MqttQos.AtMostOnce ? 0 : 2)
        + Properties.Bytes() + Payload.Length);
}
