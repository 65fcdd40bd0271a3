using System.Buffers;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.TestKit.Bytes;

public sealed class ByteSplitterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(65)]
    public void Every_split_holds_the_same_bytes(int length)
    {
        var bytes = Bytes(length);

        Assert.All(ByteSplitter.EverySplit(bytes), split => Assert.Equal(bytes, split.ToArray()));
    }

    [Fact]
    public void Every_pair_of_cuts_is_made_once()
    {
        var cuts = ByteSplitter.EverySplitInThree(Bytes(4)).Select(Lengths).ToList();

        Assert.Equal(15, cuts.Count);
        Assert.Equal(15, cuts.Distinct().Count());
        Assert.Contains("0,0,4", cuts);
        Assert.Contains("1,2,1", cuts);
        Assert.Contains("4,0,0", cuts);
    }

    [Fact]
    public void One_split_has_every_byte_in_a_segment_of_its_own() =>
        Assert.Contains("1,1,1,1,1", ByteSplitter.EverySplit(Bytes(5)).Select(Lengths));

    [Fact]
    public void Strict_prefixes_stop_short_of_the_whole() =>
        Assert.Equal([0, 1, 2], ByteSplitter.EveryStrictPrefix(Bytes(3)).Select(prefix => (int)prefix.Length));

    private static byte[] Bytes(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];

    // All segments, also empty ones, which the enumerator of a sequence passes over.
    private static string Lengths(ReadOnlySequence<byte> sequence)
    {
        var lengths = new List<int>();
        for (var segment = (ReadOnlySequenceSegment<byte>?)sequence.Start.GetObject();
            segment is not null;
            segment = segment.Next)
        {
            lengths.Add(segment.Memory.Length);
        }

        return string.Join(',', lengths);
    }
}
