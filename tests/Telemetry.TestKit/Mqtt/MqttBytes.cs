using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Telemetry.TestKit.Mqtt;

/// <summary>The bytes of MQTT 5.0 packets: by MQTTnet's codec where they are sound, else by hand.</summary>
public static class MqttBytes
{
    /// <summary>A CONNECT as an ordinary client sends it.</summary>
    public static MqttConnectPacket Connect(string clientId, ushort keepAlive = 60) => new()
    {
        ClientId = clientId,
        CleanSession = true,
        KeepAlivePeriod = keepAlive,
        RequestProblemInformation = true,
    };

    /// <summary>The packet's bytes.</summary>
    public static byte[] Of(MqttPacket packet)
    {
        var encoded = Codec().Encode(packet);
        return [.. encoded.Packet, .. System.Buffers.BuffersExtensions.ToArray(encoded.Payload)];
    }

    /// <summary>A text behind its length.</summary>
    public static byte[] Text(string text)
    {
        var utf8 = System.Text.Encoding.UTF8.GetBytes(text);
        return [(byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8];
    }

    /// <summary>Properties behind their length.</summary>
    public static byte[] Properties(params byte[] content) => [.. Length(content.Length), .. content];

    /// <summary>A packet by its first byte and its body.</summary>
    public static byte[] Packet(byte first, params byte[] body) => [first, .. Length(body.Length), .. body];

    /// <summary>Reads packets; throws where the last one is not whole.</summary>
    public static List<MqttPacket> Read(ReadOnlySpan<byte> bytes)
    {
        var packets = new List<MqttPacket>();
        while (TryTake(ref bytes) is { } packet)
        {
            packets.Add(packet);
        }

        return bytes.IsEmpty ? packets : throw new InvalidDataException($"{bytes.Length} bytes are no whole packet");
    }

    /// <summary>Takes the first packet off the bytes; null when it is not whole.</summary>
    public static MqttPacket? TryTake(ref ReadOnlySpan<byte> bytes)
    {
        int length = 0, at = 1;
        for (var shift = 0; ; shift += 7, at++)
        {
            if (at >= bytes.Length)
            {
                return null;
            }

            length |= (bytes[at] & 0x7F) << shift;
            if (bytes[at] < 0x80)
            {
                break;
            }
        }

        var body = bytes[(at + 1)..];
        if (body.Length < length)
        {
            return null;
        }

        var segment = new ArraySegment<byte>(body[..length].ToArray());
        var packet = Codec().Decode(new ReceivedMqttPacket(bytes[0], segment, at + 1 + length));
        bytes = body[length..];
        return packet;
    }

    private static MqttPacketFormatterAdapter Codec() =>
        new(MqttProtocolVersion.V500, new MqttBufferWriter(4096, 65535));

    private static byte[] Length(int value) =>
        value < 0x80 ? [(byte)value] : [(byte)(value | 0x80), .. Length(value >> 7)];
}
