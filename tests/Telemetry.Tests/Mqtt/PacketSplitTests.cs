using System.Buffers;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Tests.Mqtt;

public sealed class PacketSplitTests
{
    private const int PairsBytesMax = 64;

    public static TheoryData<string> Names => PacketSamples.Names;

    [Theory, MemberData(nameof(Names))]
    public void Packet_is_read_and_written_back_over_every_split(string name)
    {
        byte[] bytes = PacketSamples.All[name];
        for (int split = 0; split <= bytes.Length; split++)
            AssertReads(bytes, Segments.Of(bytes.AsMemory(0, split), bytes.AsMemory(split)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Short_packet_is_read_over_every_pair_of_splits(string name)
    {
        byte[] bytes = PacketSamples.All[name];
        if (bytes.Length > PairsBytesMax) return;
        for (int first = 0; first <= bytes.Length; first++)
            for (int second = first; second <= bytes.Length; second++)
                AssertReads(bytes, Segments.Of(
                    bytes.AsMemory(0, first), bytes.AsMemory(first, second - first), bytes.AsMemory(second)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Beginning_of_a_packet_needs_more_and_takes_nothing(string name)
    {
        byte[] bytes = PacketSamples.All[name];
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
        byte[] all = [.. PacketSamples.All.Values.SelectMany(b => b)];
        for (int split = 0; split <= all.Length; split++)
        {
            var sequence = Segments.Of(all.AsMemory(0, split), all.AsMemory(split));
            foreach (byte[] expected in PacketSamples.All.Values)
            {
                Assert.True(PacketScanner.TryRead(ref sequence, all.Length, out var raw));
                Assert.Equal(expected.Length - 2 - (expected.Length > 129 ? 1 : 0), raw.Body.Length);
            }
            Assert.True(sequence.IsEmpty);
        }
    }

    [Fact]
    public void Every_packet_type_has_a_sample() =>
        Assert.Equal(Enum.GetValues<PacketType>().Select(type => (int)type),
            PacketSamples.All.Values.Select(b => b[0] >> 4).Distinct().Order());

    private static void AssertReads(byte[] bytes, ReadOnlySequence<byte> sequence)
    {
        Assert.True(PacketScanner.TryRead(ref sequence, bytes.Length, out var raw));
        Assert.True(sequence.IsEmpty);
        Assert.Equal(bytes, PacketSamples.Rewrite(raw));
    }
}
