using System.Buffers;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Tests.Mqtt;

/// <summary>Bytes of every packet type, written by hand from the standard, with few and with many fields.</summary>
internal static class PacketSamples
{
    private static readonly byte[] Pair = [0x26, 0, 1, (byte)'k', 0, 2, (byte)'v', (byte)'w'];

    public static readonly IReadOnlyDictionary<string, byte[]> All = new Dictionary<string, byte[]>
    {
        ["connect-small"] = Packet(0x10, [.. Text("MQTT"), 5, 0x02, 0, 60, 0, .. Text("g1")]),
        ["connect-full"] = Packet(0x10, [
            .. Text("MQTT"), 5, 0xEE, 0x01, 0x2C,
            .. Properties([0x11, 0, 0, 0, 10, 0x21, 0, 20, 0x27, 0, 1, 0, 0, 0x22, 0, 5, 0x19, 1, 0x17, 0, .. Pair,
                0x15, .. Text("SCRAM"), 0x16, 0, 2, 0xFE, 0xFF]),
            .. Text("gateway-1"),
            .. Properties([0x18, 0, 0, 0, 9, 0x01, 1, 0x02, 0, 0, 0, 8, 0x03, .. Text("a/b"), 0x08, .. Text("r"),
                0x09, 0, 1, 7, .. Pair]),
            .. Text("will/topic"), 0, 3, 1, 2, 3, .. Text("user"), 0, 2, (byte)'p', (byte)'w']),
        ["connack-small"] = Packet(0x20, [0, 0, 0]),
        ["connack-full"] = Packet(0x20, [1, 0x87, .. Properties([
            0x11, 0, 0, 0, 0, 0x21, 0, 20, 0x24, 1, 0x25, 0, 0x27, 0, 4, 0, 0, 0x12, .. Text("id"), 0x22, 0, 0,
            0x1F, .. Text("no"), .. Pair, .. Pair, 0x28, 1, 0x29, 0, 0x2A, 0, 0x13, 1, 44, 0x1A, .. Text("i"),
            0x1C, .. Text("other:1883"), 0x15, .. Text("S"), 0x16, 0, 1, 9])]),
        ["publish-qos0"] = Packet(0x30, [.. Text("a/b"), 0, 1, 2, 3]),
        ["publish-qos1"] = Packet(0x3B, [.. Text("tm/1/g/live"), 0x12, 0x34, 0, .. "payload"u8]),
        ["publish-qos2"] = Packet(0x34, [.. Text("a"), 0, 9, 0]),
        ["publish-full"] = Packet(0x32, [.. Text("ä/€/𝄞"), 0xFF, 0xFF, .. Properties([
            0x01, 1, 0x02, 0, 0, 0, 9, 0x03, .. Text("t"), 0x08, .. Text("r/s"), 0x09, 0, 2, 1, 2, 0x23, 0, 4,
            0x0B, 0x80, 0x01, 0x0B, 2, .. Pair])]),
        ["publish-large"] = Packet(0x30, [.. Text("a"), 0, .. Enumerable.Range(0, 300).Select(i => (byte)i)]),
        ["puback-small"] = Packet(0x40, [0, 1]),
        ["puback-code"] = Packet(0x40, [0, 1, 0x97]),
        ["puback-full"] = Packet(0x40, [0, 1, 0x00, .. Properties([0x1F, .. Text("ok"), .. Pair])]),
        ["pubrec"] = Packet(0x50, [0, 1, 0x10]),
        ["pubrel"] = Packet(0x62, [0, 1]),
        ["pubcomp"] = Packet(0x70, [0, 1, 0x92, .. Properties(Pair)]),
        ["subscribe"] = Packet(0x82,
            [0, 7, .. Properties([0x0B, 5, .. Pair]), .. Text("a/+/b"), 0x01, .. Text("#"), 0x2E]),
        ["suback"] = Packet(0x90, [0, 7, .. Properties([0x1F, .. Text("x"), .. Pair]), 0x01, 0x87]),
        ["unsubscribe"] = Packet(0xA2, [0, 8, 0, .. Text("a/+/b"), .. Text("$share/g/t")]),
        ["unsuback"] = Packet(0xB0, [0, 8, 0, 0x00, 0x11]),
        ["pingreq"] = [0xC0, 0],
        ["pingresp"] = [0xD0, 0],
        ["disconnect-small"] = [0xE0, 0],
        ["disconnect-code"] = Packet(0xE0, [0x8E]),
        ["disconnect-full"] = Packet(0xE0,
            [0x9D, .. Properties([0x11, 0, 0, 0, 1, 0x1F, .. Text("moved"), 0x1C, .. Text("o"), .. Pair])]),
        ["auth-small"] = [0xF0, 0],
        ["auth-full"] = Packet(0xF0,
            [0x18, .. Properties([0x15, .. Text("SCRAM"), 0x16, 0, 1, 5, 0x1F, .. Text("go"), .. Pair])]),
    };

    public static TheoryData<string> Names => [.. All.Keys];

    public static byte[] Text(string text)
    {
        byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(text);
        return [(byte)(utf8.Length >> 8), (byte)utf8.Length, .. utf8];
    }

    public static byte[] Properties(byte[] content) => [.. Length(content.Length), .. content];

    public static byte[] Packet(byte first, byte[] body) => [first, .. Length(body.Length), .. body];

    /// <summary>Reads a packet of any type and writes it again.</summary>
    public static byte[] Rewrite(RawPacket raw)
    {
        var output = new ArrayBufferWriter<byte>();
        byte[] body = raw.Body.ToArray();
        var reader = new BodyReader(body);
        switch (raw.Type)
        {
            case PacketType.Connect:
                Assert.Equal(ConnectPacket.Level5, ConnectPacket.ReadLevel(ref reader));
                ConnectPacket.ReadRest(ref reader).Write(output);
                break;
            case PacketType.ConnAck: ConnAckPacket.Read(ref reader).Write(output); break;
            case PacketType.Publish: PublishPacket.Read(raw.Flags, body).Write(output); break;
            case PacketType.Subscribe: SubscribePacket.Read(ref reader).Write(output); break;
            case PacketType.Unsubscribe: UnsubscribePacket.Read(ref reader).Write(output); break;
            case PacketType.SubAck or PacketType.UnsubAck:
                SubscribeAckPacket.Read(raw.Type, ref reader).Write(output);
                break;
            case PacketType.PingReq or PacketType.PingResp: PingPacket.Read(raw.Type, ref reader).Write(output); break;
            case PacketType.Disconnect or PacketType.Auth:
                DisconnectPacket.Read(raw.Type, ref reader).Write(output);
                break;
            default: PublishAckPacket.Read(raw.Type, ref reader).Write(output); break;
        }
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Length(int value) =>
        value < 0x80 ? [(byte)value] : [(byte)(value | 0x80), .. Length(value >> 7)];
}
