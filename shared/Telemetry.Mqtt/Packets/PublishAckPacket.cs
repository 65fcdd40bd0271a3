using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>PUBACK, and PUBREC, PUBREL, PUBCOMP of QoS 2, which share its shape.</summary>
/// <remarks>
/// <code>packet id (2) · [reason code (1, absent: success) · [properties (absent: none)]]</code>
/// Source: MQTT 5.0, 3.4 to 3.7.
/// </remarks>
internal readonly record struct PublishAckPacket(
    PacketType Type, ushort PacketId, MqttReasonCode ReasonCode, PropertyList Properties)
{
    public static PublishAckPacket Read(PacketType type, ref BodyReader reader)
    {
        ushort packetId = reader.PacketId();
        var code = reader.AtEnd ? MqttReasonCode.Success : (MqttReasonCode)reader.Byte();
        var properties = reader.AtEnd ? PropertyList.Empty : PropertyList.Read(ref reader, (PropertyPlace)type);
        reader.ExpectEnd();
        return new PublishAckPacket(type, packetId, code, properties);
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Bytes() => PacketWriter.PacketBytes(BodyBytes());

    public void Write(IBufferWriter<byte> output)
    {
        int bodyBytes = BodyBytes();
        var writer = PacketWriter.Begin(output, Type, bodyBytes, (byte)(Type == PacketType.PubRel ? 0x02 : 0));
        writer.UInt16(PacketId);
        if (bodyBytes > 2) writer.Byte((byte)ReasonCode);
        if (bodyBytes > 3) Properties.Write(ref writer);
        writer.End();
    }

    private int BodyBytes() =>
        !Properties.IsEmpty ? 3 + Properties.Bytes() : ReasonCode != MqttReasonCode.Success ? 3 : 2;
}
