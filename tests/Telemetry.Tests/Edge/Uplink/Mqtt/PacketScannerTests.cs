using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.Edge.Uplink.Mqtt;

public sealed class PacketScannerTests
{
    private static readonly byte[] Ping = [0xC0, 0x00];

    [Fact]
    public void Publishes_are_counted_over_every_split_of_the_bytes()
    {
        byte[] bytes = [.. Ping, .. Publish(0), .. Ping, .. Publish(130), .. Publish(10)];
        foreach (var split in ByteSplitter.EverySplitInTwo(bytes).Append(ByteByByte(bytes)))
        {
            var scanner = new PacketScanner(int.MaxValue);
            foreach (var piece in split)
            {
                scanner.Take(piece.Span);
            }

            Assert.Equal(3, scanner.Publishes);
        }
    }

    [Fact]
    public void Publish_counts_with_its_last_byte()
    {
        var scanner = new PacketScanner(int.MaxValue);
        var bytes = Publish(300);

        scanner.Take(bytes.AsSpan()[..^1]);
        Assert.Equal(0, scanner.Publishes);

        scanner.Take(bytes.AsSpan()[^1..]);
        Assert.Equal(1, scanner.Publishes);
    }

    [Theory]
    [InlineData(1024, false)]
    [InlineData(1025, true)]
    public void Packet_beyond_the_limit_is_refused_by_its_header(int packetBytes, bool refused)
    {
        var scanner = new PacketScanner(1024);
        var remaining = packetBytes - 3;
        byte[] header = [0x30, (byte)(0x80 | (remaining & 0x7f)), (byte)(remaining >> 7)];

        var failure = Record.Exception(() => scanner.Take(header));

        Assert.Equal(refused, failure is IOException);
    }

    [Fact]
    public void Length_of_more_than_four_bytes_is_refused() =>
        Assert.Throws<IOException>(() => new PacketScanner(int.MaxValue).Take([0x30, 0xff, 0xff, 0xff, 0xff]));

    /// <summary>The sizes at which the remaining length takes one byte more.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(127 - 6)]
    [InlineData(128 - 6)]
    [InlineData(16_383 - 6)]
    [InlineData(16_384 - 6)]
    [InlineData(2_097_151 - 6)]
    [InlineData(2_097_152 - 6)]
    public void Size_of_a_publish_is_known_before_it_is_made(int payloadBytes) =>
        Assert.Equal(Publish(payloadBytes).Length, PublishPacket.Bytes("t", payloadBytes));

    [Fact]
    public void Topic_counts_in_bytes_of_utf8() =>
        Assert.Equal(Publish(3, "tm/1/ä€").Length, PublishPacket.Bytes("tm/1/ä€", 3));

    private static byte[] Publish(int payloadBytes, string topic = "t")
    {
        var adapter = new MqttPacketFormatterAdapter(MqttProtocolVersion.V500, new MqttBufferWriter(4096, 65535));
        return adapter.Encode(new MqttPublishPacket
        {
            Topic = topic,
            PacketIdentifier = 1,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            Payload = new(new byte[payloadBytes]),
        }).Join().ToArray();
    }

    private static System.Buffers.ReadOnlySequence<byte> ByteByByte(byte[] bytes) =>
        ByteSplitter.Split(bytes, [.. Enumerable.Range(1, bytes.Length - 1)]);
}
