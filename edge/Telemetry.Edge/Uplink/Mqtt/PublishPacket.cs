using System.Text;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>A PUBLISH at QoS 1 without properties. Source: MQTT 5.0, 3.3.</summary>
internal static class PublishPacket
{
    private const int LengthAndId = 2 + 2;
    private const int NoProperties = 1;

    /// <summary>The bytes of the whole packet, as a server's Maximum Packet Size counts them.</summary>
    public static long Bytes(string topic, int payloadBytes)
    {
        long remaining = LengthAndId + Encoding.UTF8.GetByteCount(topic) + NoProperties + (long)payloadBytes;
        var lengthBytes = remaining < 1 << 7 ? 1 : remaining < 1 << 14 ? 2 : remaining < 1 << 21 ? 3 : 4;
        return 1 + lengthBytes + remaining;
    }
}
