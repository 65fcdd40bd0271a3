using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>SUBACK, and UNSUBACK, which shares its shape: one reason code for each filter, in their order.</summary>
/// <remarks>
/// <code>packet id (2) · properties · reason code (1), at least one</code>
/// Source: MQTT 5.0, 3.9 and 3.11.
/// </remarks>
internal sealed record SubscribeAckPacket(
    PacketType Type, ushort PacketId, IReadOnlyList<MqttReasonCode> ReasonCodes, PropertyList Properties)
{
    public static SubscribeAckPacket Read(PacketType type, ref BodyReader reader)
    {
        ushort packetId = reader.PacketId();
        var properties = PropertyList.Read(ref reader, (PropertyPlace)type);
        if (reader.AtEnd) throw MqttProtocolException.Protocol("no reason code");
        if (reader.Left > SubscribePacket.FiltersMax)
            throw new MqttProtocolException(MqttReasonCode.QuotaExceeded,
                $"more than {SubscribePacket.FiltersMax} reason codes");
        var codes = new MqttReasonCode[reader.Left];
        for (int i = 0; i < codes.Length; i++) codes[i] = (MqttReasonCode)reader.Byte();
        return new SubscribeAckPacket(type, packetId, codes, properties);
    }

    public void Write(IBufferWriter<byte> output)
    {
        var writer = PacketWriter.Begin(output, Type, 2 + Properties.Bytes() + ReasonCodes.Count);
        writer.UInt16(PacketId);
        Properties.Write(ref writer);
        foreach (var code in ReasonCodes) writer.Byte((byte)code);
        writer.End();
    }
}
