using System.Buffers;
using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;
using static Telemetry.Tests.Mqtt.PacketSamples;

namespace Telemetry.Tests.Mqtt;

public sealed class PacketRulesTests
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
        { "packet identifier 0", MqttReasonCode.ProtocolError, Packet(0x32, [.. Text("a"), 0, 0, 0]) },
        { "unknown property", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 2, 0x7F, 0]) },
        { "property of another packet", MqttReasonCode.MalformedPacket, Packet(0x30, [.. Text("a"), 3, 0x21, 0, 1]) },
        { "property twice", MqttReasonCode.ProtocolError, Packet(0x30, [.. Text("a"), 4, 0x01, 1, 0x01, 1]) },
        { "property beyond its list", MqttReasonCode.MalformedPacket,
            Packet(0x30, [.. Text("a"), 2, 0x02, 0, 0, 0, 1]) },
        { "boolean 2", MqttReasonCode.ProtocolError, Packet(0x30, [.. Text("a"), 2, 0x01, 2]) },
        { "receive maximum 0", MqttReasonCode.ProtocolError, Packet(0x20, [0, 0, 3, 0x21, 0, 0]) },
        { "topic alias 0", MqttReasonCode.TopicAliasInvalid, Packet(0x30, [.. Text("a"), 3, 0x23, 0, 0]) },
        { "no filter", MqttReasonCode.ProtocolError, Packet(0x82, [0, 1, 0]) },
        { "subscription options", MqttReasonCode.MalformedPacket, Packet(0x82, [0, 1, 0, .. Text("a"), 0x40]) },
        { "bytes behind the end", MqttReasonCode.MalformedPacket, Packet(0x40, [0, 1, 0, 0, 9]) },
        { "ping with a body", MqttReasonCode.MalformedPacket, Packet(0xC0, [1]) },
        { "connect flags", MqttReasonCode.MalformedPacket, Packet(0x10, [.. Text("MQTT"), 5, 0x03, 0, 0, 0, 0, 0]) },
        { "will QoS without will", MqttReasonCode.MalformedPacket,
            Packet(0x10, [.. Text("MQTT"), 5, 0x08, 0, 0, 0, 0, 0]) },
        { "another protocol", MqttReasonCode.UnsupportedProtocolVersion,
            Packet(0x10, [.. Text("AMQP"), 5, 2, 0, 0, 0, 0, 0]) },
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
            if (PacketScanner.TryRead(ref sequence, 100_000, out var raw)) Rewrite(raw);
        });

        Assert.True(expected == failure.ReasonCode, $"{what}: {failure.ReasonCode} {failure.Message}");
    }

    [Fact]
    public void Packet_beyond_the_limit_is_refused_by_its_header_alone()
    {
        byte[] header = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
        var failure = Assert.Throws<MqttProtocolException>(() =>
        {
            var sequence = new ReadOnlySequence<byte>(header);
            PacketScanner.TryRead(ref sequence, 1024, out _);
        });
        Assert.Equal(MqttReasonCode.PacketTooLarge, failure.ReasonCode);
    }

    [Fact]
    public void Packet_of_exactly_the_limit_is_taken()
    {
        byte[] bytes = Packet(0x30, [.. Text("a"), 0, .. new byte[1000]]);
        var sequence = new ReadOnlySequence<byte>(bytes);
        Assert.True(PacketScanner.TryRead(ref sequence, bytes.Length, out _));
        Assert.Throws<MqttProtocolException>(() =>
        {
            var again = new ReadOnlySequence<byte>(bytes);
            PacketScanner.TryRead(ref again, bytes.Length - 1, out _);
        });
    }

    [Fact]
    public void Connack_of_an_older_server_means_unsupported_version()
    {
        var reader = new BodyReader([0, 1]);
        Assert.Equal(MqttReasonCode.UnsupportedProtocolVersion, ConnAckPacket.Read(ref reader).ReasonCode);
    }
}
