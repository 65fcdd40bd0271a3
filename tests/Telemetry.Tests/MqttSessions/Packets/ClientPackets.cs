using static Telemetry.TestKit.Mqtt.MqttBytes;

namespace Telemetry.Tests.MqttSessions.Packets;

/// <summary>Every packet that a client may send, by hand from the standard, with few and many fields.</summary>
internal static class ClientPackets
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
        ["publish-qos0"] = Packet(0x30, [.. Text("a/b"), 0, 1, 2, 3]),
        ["publish-qos1"] = Packet(0x3A, [.. Text("tm/1/g/live"), 0x12, 0x34, 0, .. "payload"u8]),
        ["publish-full"] = Packet(0x32, [.. Text("ä/€/𝄞"), 0xFF, 0xFF, .. Properties([
            0x01, 1, 0x02, 0, 0, 0, 9, 0x03, .. Text("t"), 0x08, .. Text("r/s"), 0x09, 0, 2, 1, 2, 0x23, 0, 4,
            .. Pair])]),
        ["publish-large"] = Packet(0x30, [.. Text("a"), 0, .. Enumerable.Range(0, 300).Select(i => (byte)i)]),
        ["puback-small"] = Packet(0x40, [0, 1]),
        ["puback-code"] = Packet(0x40, [0, 1, 0x97]),
        ["puback-full"] = Packet(0x40, [0, 1, 0x00, .. Properties([0x1F, .. Text("ok"), .. Pair])]),
        ["subscribe"] = Packet(0x82,
            [0, 7, .. Properties([0x0B, 5, .. Pair]), .. Text("a/+/b"), 0x01, .. Text("#"), 0x2E]),
        ["unsubscribe"] = Packet(0xA2, [0, 8, 0, .. Text("a/+/b"), .. Text("$share/g/t")]),
        ["pingreq"] = [0xC0, 0],
        ["disconnect-small"] = [0xE0, 0],
        ["disconnect-code"] = Packet(0xE0, [0x8E]),
        ["disconnect-full"] = Packet(0xE0, [0x04, .. Properties([0x11, 0, 0, 0, 1, 0x1F, .. Text("moved"), .. Pair])]),
    };

    public static TheoryData<string> Names => [.. All.Keys];
}
