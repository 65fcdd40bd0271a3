using System.Buffers;

namespace Telemetry.MqttSessions.Packets;

/// <summary>Variable byte integers, 0 to 268,435,455, as they are written. Source: MQTT 5.0, 1.5.5.</summary>
internal static class VariableInt
{
    public static int Bytes(int value) => value switch { < 1 << 7 => 1, < 1 << 14 => 2, < 1 << 21 => 3, _ => 4 };

    public static void Write(int value, IBufferWriter<byte> output)
    {
        for (; value >= 0x80; value >>= 7) output.Write<byte>([(byte)(value | 0x80)]);
        output.Write<byte>([(byte)value]);
    }
}
