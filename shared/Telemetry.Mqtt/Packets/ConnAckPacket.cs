using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>CONNACK: the server's answer to CONNECT.</summary>
/// <remarks><code>session present (bit 0) · reason code · properties</code>Source: MQTT 5.0, 3.2.</remarks>
internal sealed record ConnAckPacket(MqttReasonCode ReasonCode, bool SessionPresent, PropertyList Properties)
{
    public static ConnAckPacket Read(ref BodyReader reader)
    {
        byte flags = reader.Byte();
        if (flags > 1) throw MqttProtocolException.Malformed("connect acknowledge flags");
        var code = (MqttReasonCode)reader.Byte();
        // A 3.1.1 server answers a version 5 CONNECT with a body of two bytes: return code 1.
        var properties = reader.AtEnd && code == (MqttReasonCode)1
            ? PropertyList.Empty : PropertyList.Read(ref reader, PropertyPlace.ConnAck);
        if (code == (MqttReasonCode)1) code = MqttReasonCode.UnsupportedProtocolVersion;
        reader.ExpectEnd();
        return new ConnAckPacket(code, flags == 1, properties);
    }

    public void Write(IBufferWriter<byte> output)
    {
        var writer = PacketWriter.Begin(output, PacketType.ConnAck, 2 + Properties.Bytes());
        writer.Byte((byte)(SessionPresent ? 1 : 0));
        writer.Byte((byte)ReasonCode);
        Properties.Write(ref writer);
        writer.End();
    }
}
