using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model.Frames;

public class FrameTests
{
    [Fact]
    public void Everything_that_goes_in_comes_out_bit_for_bit()
    {
        var frame = Samples.Frame();
        var readings = new ReadingBatch();
        var declarations = new List<Declaration>();

        FrameReader.Header(frame, out var checksum);
        var header = FrameReader.Read(frame, Samples.Series().Types, readings, declarations);

        var expected = Samples.Readings();
        Assert.Equal(Samples.Header() with { Promise = null }, header with { Promise = null });
        Assert.Equal(Samples.Header().Promise, header.Promise);
        Assert.Equal(expected.Count, readings.Count);
        Assert.Equal(expected.Series, readings.Series);
        Assert.Equal(expected.Times, readings.Times);
        Assert.True(expected.Flags.SequenceEqual(readings.Flags));
        Assert.Equal(HashSum(expected), HashSum(readings));
        Assert.Equal(
            [new(1, 3, 5, 9, DropReason.Quota), new Declaration(4, 2, 1, 2, DropReason.Damaged)], declarations);
        Assert.Equal(BitConverter.ToUInt64(frame, frame.Length - 8), checksum);
    }

    [Fact]
    public void The_header_of_a_live_frame_takes_at_most_64_bytes_with_one_open_epoch()
    {
        var key = new FrameKey(ulong.MaxValue, Lane.Live, (1L << 35) - 8193, 8192);
        var header = new FrameHeader
        {
            Key = key,
            Schema = Samples.Schema().Id,
            Promise = new Promise(
                1_900_000_000_000_000,
                [new(ulong.MaxValue, new LaneLasts((1 << 14) - 1, key.Last, (1L << 35) - 1))],
                ulong.MaxValue),
        };

        Assert.InRange(Samples.Bytes(header.Write).Length + FrameHeader.ChecksumBytes, 50, 64);
    }

    [Fact]
    public void A_frame_cut_anywhere_is_refused()
    {
        var frame = Samples.Frame();
        for (var length = 0; length < frame.Length; length++)
        {
            Assert.Throws<WireFormatException>(() => FrameReader.Header(frame.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void A_single_wrong_bit_is_refused()
    {
        var frame = Samples.Frame();
        for (var bit = 0; bit < frame.Length * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<WireFormatException>(() => FrameReader.Header(frame, out _));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_tombstone_covers_without_readings()
    {
        var header = Samples.Header() with
        {
            Kind = FrameKind.Tombstone,
            Key = Samples.Header().Key with { Count = 5 },
            Promise = null,
        };
        var writer = new WireWriter();
        Declaration[] declarations = [new(0, 5, 1, 2, DropReason.Refused)];
        FrameWriter.Write(writer, header, declarations, new ReadingBatch(), [], Samples.Series().Types);
        var readings = new ReadingBatch();
        var read = new List<Declaration>();

        var back = FrameReader.Read(writer.Written, Samples.Series().Types, readings, read);

        Assert.Equal((FrameKind.Tombstone, 5, 0, 0), (back.Kind, back.Dropped, back.Present, readings.Count));
        Assert.Equal(declarations, read);
    }

    [Fact]
    public void A_series_that_is_not_in_the_schema_is_refused()
    {
        var frame = Samples.Frame();

        Assert.Throws<WireFormatException>(
            () => FrameReader.Read(frame, Samples.Series().Types[..4], new ReadingBatch(), []));
    }

    [Fact]
    public void A_header_whose_count_is_not_what_it_covers_is_never_written() => Assert.Throws<ArgumentException>(
        () => Samples.Frame(Samples.Header() with { Key = Samples.Header().Key with { Count = 16 }, Promise = null }));

    private static ulong HashSum(ReadingBatch batch)
    {
        var sum = 0UL;
        for (var i = 0; i < batch.Count; i++)
        {
            var series = batch.Series[i];
            var entry = Samples.Series().Entries[series];
            sum += ReadingHash.OfRow(batch, i, entry.Identity, entry.Type);
        }

        return sum;
    }
}
