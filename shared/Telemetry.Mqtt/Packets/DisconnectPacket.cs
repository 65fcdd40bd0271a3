using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>DISCONNECT, and AUTH, which shares its shape.</summary>
/// <remarks>
/// <code>[reason code (1, absent: 0x00) · [properties (absent: none)]]</code>
/// Source: MQTT 5.0, 3.14 and 3.15.
/// </remarks>
internal sealed record DisconnectPacket(PacketType Type, MqttReasonCode ReasonCode, PropertyList Properties)
{
    public static DisconnectPacket Read(PacketType type, ref BodyReader reader)
    {
        var code = reader.AtEnd ? MqttReasonCode.Success : (MqttReasonCode)reader.Byte();
        var properties = reader.AtEnd ? PropertyList.Empty : PropertyList.Read(ref reader, (PropertyPlace)type);
        reader.ExpectEnd();
        return new DisconnectPacket(type, code, properties);
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int Bytes() => PacketWriter.PacketBytes(BodyBytes());

    public void Write(IBufferWriter<byte> output)
    {
        int bodyBytes = BodyBytes();
        var writer = PacketWriter.Begin(output, Type, bodyBytes);
        if (bodyBytes > 0) writer.Byte((byte)ReasonCode);
        if (bodyBytes > 1) Properties.Write(ref writer);
        writer.End();
    }

    private int BodyBytes() =>
        !Properties.IsEmpty ? 1 + Properties.Bytes() : ReasonCode != MqttReasonCode.Success ? 1 : 0;
}
