using System.Buffers;

namespace Telemetry.Mqtt.Packets;

/// <summary>PINGREQ and PINGRESP: a header with an empty body. Source: MQTT 5.0, 3.12 and 3.13.</summary>
internal readonly record struct PingPacket(PacketType Type)
{
    public static PingPacket Read(PacketType type, ref BodyReader reader)
    {
        reader.ExpectEnd();
        return new PingPacket(type);
    }

    public void Write(IBufferWriter<byte> output) => Begin(output).End();

    private PacketWriter Begin(IBufferWriter<byte> output) => PacketWriter.Begin(output, Type, 0);
}
