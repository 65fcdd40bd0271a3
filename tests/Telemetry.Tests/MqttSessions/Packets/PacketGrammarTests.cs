using System.Buffers;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Packets;
using static Telemetry.TestKit.Mqtt.MqttBytes;

namespace Telemetry.Tests.MqttSessions.Packets;

/// <summary>What MQTTnet's decoder would let pass among others.</summary>
public sealed class PacketGrammarTests
{
    public static TheoryData<string, MqttReasonCode, byte[]> Broken => new()
    {
        { "type 0", MqttReasonCode.MalformedPacket, [0x00, 0] },
        { "reserved flags", MqttReasonCode.MalformedPacket, [0xC1, 0] },
        { "subscribe without its flag", MqttReasonCode.MalformedPacket, [0x80, 0] },
        { "QoS 3", MqttReasonCode.MalformedPacket, [0x36, 0] },
        { "length of five bytes", MqttReasonCode.MalformedPacket, [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01] },
        { "length with a needless byte", MqttReasonCode.MalformedPacket, [0xC0, 0x80, 0x00] },
        { "duplicate with QoS 0", MqttReasonCode.MalformedPacket, Packet(0x38, [.. Text("a"), 0]) },
        { "text beyond the packet", MqttReasonCode.MalformedPacket, Packet(0x30, [0xFF, 0xFF, (byte)'a']) },
        { "overlong UTF-8", MqttReasonCode.MalformedPacket, Packet(0x30, [0, 2, 0xC0, 0xAF, 0]) },
        { "surrogate in UTF-8", MqttReasonCode.MalformedPacket, Packet(0x30, [0, 3, 0xED, 0xA0, 0x80, 0]) },
        { "U+0000", MqttReasonCode.MalformedPacket, Packet(0x30, [0, 1, 0, 0]) },
        { "broken UTF-8 in a user property", MqttReasonCode.MalformedPacket,
            Packet(0x30, [.. Text("a"), .. Properties(0x26, 0, 1, 0xFF, 0, 0)]) },
        { "broken UTF-8 in a filter", MqttReasonCode.MalformedPacket, Packet(0x82, [0, 1, 0, 0, 1, 0xFF, 0]) },
        { "packet identifier 0", MqttReasonCode.ProtocolError, Packet(0x32, [.. Text("a"), 0, 0, 0]) },
        { "packet identifier 0 to subscribe", MqttReasonCode.ProtocolError, Packet(0x82, [0, 0, 0, .. Text("a"), 0]) },
        { "packet identifier 0 of a PUBACK", MqttReasonCode.ProtocolError, Packet(0x40, [0, 0]) },
        { "no properties", MqttReasonCode.MalformedPacket, Packet(0x30, Text("a")) },
        { "unknown property", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 2, 0x7F, 0]) },
        { "property of another packet", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 3, 0x21, 0, 1]) },
        { "property of the server", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 2, 0x0B, 1]) },
        { "property twice", MqttReasonCode.ProtocolError, Packet(0x30, [.. Text("a"), 4, 0x01, 1, 0x01, 1]) },
        { "property beyond its list", MqttReasonCode.MalformedPacket,
            Packet(0x30, [.. Text("a"), 2, 0x02, 0, 0, 0, 1]) },
        { "list beyond the packet", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 50, 0x01, 1]) },
        { "boolean 2", MqttReasonCode.ProtocolError, Packet(0x30, [.. Text("a"), 2, 0x01, 2]) },
        { "receive maximum 0", MqttReasonCode.ProtocolError,
            Packet(0x10, [.. Text("MQTT"), 5, 2, 0, 0, 3, 0x21, 0, 0, .. Text("a")]) },
        { "topic alias 0", MqttReasonCode.TopicAliasInvalid, Packet(0x30, [.. Text("a"), 3, 0x23, 0, 0]) },
        { "no filter", MqttReasonCode.ProtocolError, Packet(0x82, [0, 1, 0]) },
        { "no filter to give up", MqttReasonCode.ProtocolError, Packet(0xA2, [0, 1, 0]) },
        { "subscription options", MqttReasonCode.MalformedPacket, Packet(0x82, [0, 1, 0, .. Text("a"), 0x40]) },
        { "subscription with QoS 3", MqttReasonCode.MalformedPacket, Packet(0x82, [0, 1, 0, .. Text("a"), 0x03]) },
        { "bytes behind the end", MqttReasonCode.MalformedPacket, Packet(0x40, [0, 1, 0, 0, 9]) },
        { "bytes behind a CONNECT", MqttReasonCode.MalformedPacket,
            Packet(0x10, [.. Text("MQTT"), 5, 2, 0, 0, 0, .. Text("a"), 9]) },
        { "ping with a body", MqttReasonCode.MalformedPacket, Packet(0xC0, [1]) },
        { "empty CONNECT", MqttReasonCode.MalformedPacket, Packet(0x10) },
        { "connect flags", MqttReasonCode.MalformedPacket, Packet(0x10, [.. Text("MQTT"), 5, 0x03, 0, 0, 0, 0, 0]) },
        { "will QoS without will", MqttReasonCode.MalformedPacket,
            Packet(0x10, [.. Text("MQTT"), 5, 0x08, 0, 0, 0, 0, 0]) },
        { "will with QoS 3", MqttReasonCode.MalformedPacket,
            Packet(0x10, [.. Text("MQTT"), 5, 0x1C, 0, 0, 0, .. Text("a"), 0, .. Text("w"), 0, 0]) },
        { "another protocol", MqttReasonCode.UnsupportedProtocolVersion,
            Packet(0x10, [.. Text("AMQP"), 5, 2, 0, 0, 0, 0, 0]) },
        { "QoS 2's PUBREL", MqttReasonCode.ProtocolError, Packet(0x62, [0, 1]) },
        { "a server's packet", MqttReasonCode.ProtocolError, Packet(0x20, [0, 0, 0]) },
        { "AUTH", MqttReasonCode.ProtocolError, [0xF0, 0] },
        { "too many properties", MqttReasonCode.QuotaExceeded, Packet(0x30, [.. Text("a"), .. Properties(
            [.. Enumerable.Range(0, 65).SelectMany(_ => new byte[] { 0x26, 0, 0, 0, 0 })])]) },
        { "too many filters", MqttReasonCode.QuotaExceeded, Packet(0xA2, [0, 1, 0,
            .. Enumerable.Range(0, 257).SelectMany(_ => Text("a"))]) },
    };

    [Theory, MemberData(nameof(Broken))]
    public void Broken_packet_is_refused_with_its_reason_code(string what, MqttReasonCode expected, byte[] bytes)
    {
        var failure = Assert.Throws<MqttProtocolException>(() =>
        {
            var sequence = new ReadOnlySequence<byte>(bytes);
            if (PacketScanner.TryRead(ref sequence, 100_000, out var raw))
            {
                Read(raw);
            }
        });

        Assert.True(expected == failure.ReasonCode, $"{what}: {failure.ReasonCode} {failure.Message}");
    }

    /// <summary>Reads a packet as a session does in the state that allows it.</summary>
    internal static void Read(in RawPacket raw)
    {
        if (raw.Type == PacketType.Publish)
        {
            PacketCodec.ReadPublish(raw);
        }
        else if (raw.Type == PacketType.Connect)
        {
            var body = raw.Body.ToArray();
            var scanner = new BodyScanner(body);
            if (PacketGrammar.ConnectLevel(ref scanner) == PacketGrammar.Level5)
            {
                PacketGrammar.CheckConnect(ref scanner);
                PacketCodec.ReadConnect(body);
            }
        }
        else
        {
            PacketCodec.Read(raw);
        }
    }
}
