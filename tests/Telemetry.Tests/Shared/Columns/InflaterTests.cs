using System.IO.Compression;
using Telemetry.Model.Frames.Columns;
using Telemetry.Testing.Bytes;
using Telemetry.Testing.Readings;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>
/// The inflater takes what the framework's takes, and makes the same of it. That what it refuses is what
/// docs/frame-format.md says, <see cref="FrameRuleTests"/> test. ./fuzz.sh runs more rounds, and others.
/// </summary>
public class InflaterTests
{
    private const int WindowBytes = 32768, TextsMax = 65536;

    private static readonly CompressionLevel[] Levels =
    [
        CompressionLevel.NoCompression, CompressionLevel.Fastest, CompressionLevel.Optimal,
        CompressionLevel.SmallestSize,
    ];

    private readonly Inflater _inflater = new();

    public static TheoryData<string> Claims => [.. DeflateRule.All.Select(rule => rule.Claim)];

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void What_was_deflated_comes_back(CompressionLevel level)
    {
        var random = new Random(FuzzSettings.Seed);
        for (var kind = 0; kind < DeflatedSamples.Kinds; kind++)
        {
            foreach (var length in (int[])[1, 2, 3, 100, 257, 258, 259, 5000, WindowBytes, TextsMax])
            {
                var bytes = DeflatedSamples.Bytes(random, kind, length);
                AssertInflates(FrameworkInflater.Deflate(bytes, level), bytes, $"kind {kind}, {length} bytes");
                var flushed = FrameworkInflater.Deflate(bytes, level, 1 + (length / 7));
                AssertInflates(flushed, bytes, $"kind {kind}, {length} bytes, flushed");
            }
        }
    }

    [Fact]
    public void Bytes_are_copied_from_as_far_back_as_a_distance_goes()
    {
        // The last distance's greatest, 24,577 + 8,191, then a length of 3.
        var bytes = DeflatedSamples.Bytes(new Random(1), kind: 0, WindowBytes);
        var stream = new HandMadeDeflate().Stored(bytes).Fixed(isLast: true)
            .Symbols(257).Distance(29).Bits(8191, 13).Symbols(HandMadeDeflate.EndOfBlock);

        AssertInflates(stream.ToBytes(), [.. bytes, .. bytes[..3]], "greatest distance");
    }

    [Fact]
    public void A_stream_cut_anywhere_is_taken_where_the_framework_takes_it()
    {
        var random = new Random(FuzzSettings.Seed);
        for (var kind = 0; kind < DeflatedSamples.Kinds; kind++)
        {
            var bytes = DeflatedSamples.Bytes(random, kind, 600);
            foreach (var level in Levels)
            {
                var stream = FrameworkInflater.Deflate(bytes, level, 250);
                for (var length = 0; length <= stream.Length; length++)
                {
                    AssertAlike(stream[..length], bytes.Length);
                }
            }
        }
    }

    [Fact]
    public void Damaged_streams_are_taken_where_the_framework_takes_them()
    {
        var random = new Random(FuzzSettings.Seed);
        var mutator = new Mutator(random);
        var accepted = 0;
        byte[] stream = [];
        var length = 0;
        for (var round = 0; round < FuzzSettings.Mutations; round++)
        {
            if (round % 20 == 0)
            {
                (stream, length) = DeflatedSamples.Next(random);
            }

            var damaged = random.Next(2) == 0 ? mutator.Mutate(stream) : DeflatedSamples.Flip(stream, random);
            var wanted = random.Next(3) == 0 ? random.Next(1, length + 4) : length;
            accepted += AssertAlike(damaged, wanted) ? 1 : 0;
        }

        Assert.InRange(accepted, FuzzSettings.Mutations / 50, FuzzSettings.Mutations / 2);
    }

    [Theory]
    [MemberData(nameof(Claims))]
    public void What_no_deflater_makes_is_taken_where_the_framework_takes_it(string claim)
    {
        var rule = DeflateRule.All.Single(r => r.Claim == claim);

        Assert.Equal(rule.IsAccepted, AssertAlike(rule.Stream, rule.Length));
    }

    [Fact]
    public void A_warm_inflater_allocates_nothing()
    {
        var stream = DeflatedBlocks.OfBytes(TextsMax);
        var text = new byte[1];

        Assert.Equal(0, AllocatedBytes.Of(() => Assert.True(_inflater.TryInflate(stream, text))));
        Assert.Equal(DeflatedBlocks.Text, text[0]);
    }

    private void AssertInflates(byte[] deflated, byte[] expected, string which)
    {
        var into = new byte[expected.Length];
        Assert.True(_inflater.TryInflate(deflated, into), which);
        Assert.True(expected.AsSpan().SequenceEqual(into), which);
    }

    /// <summary>True when both take it.</summary>
    private bool AssertAlike(byte[] stream, int wanted)
    {
        byte[] here = new byte[wanted], there = new byte[wanted];
        var isTaken = FrameworkInflater.TryInflate(stream, there);
        var isTakenHere = _inflater.TryInflate(stream, here);
        var isAlike = isTaken == isTakenHere && (!isTaken || here.AsSpan().SequenceEqual(there));
        Assert.True(isAlike, $"here {isTakenHere}, there {isTaken}, {wanted} bytes of {Convert.ToHexString(stream)}");
        return isTaken;
    }
}
