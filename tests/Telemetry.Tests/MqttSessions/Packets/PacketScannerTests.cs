using System.Buffers;
using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Packets;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Tests.MqttSessions.Packets;

public sealed class PacketScannerTests
{
    public static TheoryData<string> Names => ClientPackets.Names;

    [Theory, MemberData(nameof(Names))]
    public void Packet_is_found_and_read_over_every_split(string name)
    {
        byte[] bytes = ClientPackets.All[name];
        foreach (var split in ByteSplitter.EverySplit(bytes))
        {
            var sequence = split;
            Assert.True(PacketScanner.TryRead(ref sequence, bytes.Length, out var raw));
            Assert.True(sequence.IsEmpty);
            Assert.Equal(bytes[0], (byte)((int)raw.Type << 4 | raw.Flags));
            Assert.Equal(bytes[^(int)raw.Body.Length..], raw.Body.ToArray());
            if (raw.Type == PacketType.Publish)
            {
                Assert.Equal(
                    bytes.AsSpan(bytes.Length - PacketCodec.ReadPublish(raw).Payload.Length),
                    PacketCodec.ReadPublish(raw).Payload.Span);
            }
            else if (raw.Type != PacketType.Connect)
            {
                Assert.Equal($"Mqtt{raw.Type}Packet", PacketCodec.Read(raw).GetType().Name, ignoreCase: true);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Beginning_of_a_packet_needs_more_and_takes_nothing(string name)
    {
        byte[] bytes = ClientPackets.All[name];
        for (int length = 0; length < bytes.Length; length++)
        {
            var sequence = new ReadOnlySequence<byte>(bytes, 0, length);
            Assert.False(PacketScanner.TryRead(ref sequence, bytes.Length, out _));
            Assert.Equal(length, sequence.Length);
        }
    }

    [Fact]
    public void Packets_back_to_back_come_out_one_by_one()
    {
        byte[] all = [.. ClientPackets.All.Values.SelectMany(b => b)];
        foreach (var split in ByteSplitter.EverySplitInTwo(all))
        {
            var sequence = split;
            foreach (byte[] expected in ClientPackets.All.Values)
            {
                Assert.True(PacketScanner.TryRead(ref sequence, all.Length, out var raw));
                Assert.Equal(expected.Length - 2 - (expected.Length > 129 ? 1 : 0), raw.Body.Length);
            }
            Assert.True(sequence.IsEmpty);
        }
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
        byte[] bytes = MqttBytes.Packet(0x30, [.. MqttBytes.Text("a"), 0, .. new byte[1000]]);
        var sequence = new ReadOnlySequence<byte>(bytes);
        Assert.True(PacketScanner.TryRead(ref sequence, bytes.Length, out _));
        Assert.Throws<MqttProtocolException>(() =>
        {
            var again = new ReadOnlySequence<byte>(bytes);
            PacketScanner.TryRead(ref again, bytes.Length - 1, out _);
        });
    }
}
