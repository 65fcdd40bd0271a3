using System.Text;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing;

public sealed class ProcessorTests
{
    private static readonly Declaration Thinned = new(1, 2, 5, 9, DropReason.Thinned);
    private static readonly Declaration Refused = new(4, 3, 1, 2, DropReason.Refused);

    [Fact]
    public void Frame_is_stored_registered_and_counted()
    {
        var rig = ProcessorRig.WithSchema();
        var frame = ProcessorRig.Floats(1, readings: 3, value: 20);

        rig.Give(frame);

        Assert.Equal([20.0, 21.0, 22.0], rig.Readings.Select(r => BitConverter.UInt64BitsToDouble(r.Bits)));
        Assert.All(rig.Readings, r => Assert.Equal(Samples.Series().Entries[0].Identity, r.Series));
        var sum = rig.Readings.Aggregate(0ul, (sum, r) => unchecked(sum + r.Hash));
        Assert.Equal(
            [new FrameRegisterRow(
                ProcessorRig.Gateway, Key(1, 3), 3, 0, 0, 1_000_000, 1_000_002, ProcessorRig.ChecksumOf(frame), sum)],
            rig.Frames);
        AssertBooks(rig, stored: 3, rejected: 0, dropped: 0);
        Assert.Empty(rig.DeadLetters);
    }

    [Fact]
    public void Stored_ack_with_the_frames_share_goes_down_after_the_commit()
    {
        var rig = ProcessorRig.WithSchema();
        var frame = ProcessorRig.Floats(1, readings: 3);

        rig.Give(frame);

        var (ack, then) = Assert.Single(rig.Acks, a => a.Ack.Epochs.Count > 0);
        var lane = Assert.Single(ack.Epochs).Lanes[(int)Lane.Live];
        Assert.Equal(3, lane.Prefix);
        Assert.Equal(Key(1, 3).Share(ProcessorRig.ChecksumOf(frame)), lane.PrefixShare);
        Assert.False(then.Frames.IsEmpty, "the ack arrived before the commit");
    }

    [Fact]
    public void Nothing_goes_down_for_a_frame_while_its_commit_fails()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Calls.LosesRequest = call => call == "commit";

        rig.Give(ProcessorRig.Floats(1, readings: 3));

        Assert.DoesNotContain(rig.Acks, a => a.Ack.Epochs.Count > 0);
        Assert.True(rig.Counters.Errors > 0);
        rig.Store.Calls.LosesRequest = _ => false;
        rig.Give();
        Assert.Contains(rig.Acks, a => a.Ack.Epochs.Count > 0);
        AssertBooks(rig, stored: 3, rejected: 0, dropped: 0);
    }

    [Fact]
    public void Tombstone_is_booked_as_dropped_with_its_declarations()
    {
        var rig = ProcessorRig.WithSchema();

        rig.Give(ProcessorRig.Floats(1, readings: 0, 0, Thinned, Refused));

        AssertBooks(rig, stored: 0, rejected: 0, dropped: 5);
        AssertDeclared(rig, Key(1, 5));
        Assert.Equal((0, 0, 5), Shares(Assert.Single(rig.Frames)));
        Assert.Empty(rig.Readings);
    }

    [Fact]
    public void Stored_and_dropped_of_one_frame_make_its_count()
    {
        var rig = ProcessorRig.WithSchema();

        rig.Give(ProcessorRig.Floats(1, readings: 4, 1, Thinned, Refused));

        var row = Assert.Single(rig.Frames);
        Assert.Equal((4, 0, 5), Shares(row));
        Assert.Equal(9, row.Key.Count);
        AssertBooks(rig, stored: 4, rejected: 0, dropped: 5);
        AssertDeclared(rig, Key(1, 9));
        Assert.Equal(4, rig.Readings.Length);
    }

    [Fact]
    public void Malformed_frame_is_one_dead_letter_and_the_frame_behind_it_is_stored()
    {
        var rig = ProcessorRig.WithSchema();
        var malformed = ProcessorRig.Malformed(1, readings: 3);

        rig.Give(malformed, ProcessorRig.Floats(4, readings: 2));

        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal((DeadLetterReason.Malformed, Key(1, 3), 3), (letter.Reason, letter.Frame, letter.Readings));
        Assert.Equal(malformed, letter.Bytes.ToArray());
        Assert.Equal([(0, 3, 0), (2, 0, 0)], rig.Frames.Select(Shares));
        AssertBooks(rig, stored: 2, rejected: 3, dropped: 0);
    }

    [Fact]
    public void Malformed_frame_with_dropped_inside_is_rejected_whole()
    {
        var rig = ProcessorRig.WithSchema();

        rig.Give(ProcessorRig.Malformed(1, readings: 3, dropped: 2));

        Assert.Equal(
            (DeadLetterReason.Malformed, 5), (Assert.Single(rig.DeadLetters).Reason, rig.DeadLetters[0].Readings));
        Assert.Equal((0, 5, 0), Shares(Assert.Single(rig.Frames)));
        AssertBooks(rig, stored: 0, rejected: 5, dropped: 0);
        Assert.Empty(rig.Drops);
    }

    [Fact]
    public void Readings_that_the_database_cannot_hold_are_a_dead_letter_each_and_the_others_are_stored()
    {
        var rig = ProcessorRig.WithSchema();
        var batch = new ReadingBatch();
        batch.Add(0, 1_000_000, 1.5);
        batch.Add(0, WireReader.TimeMax + 1, BitConverter.DoubleToUInt64Bits(2.5), (ReadingFlags)(byte)Quality.Bad);
        batch.AddText(4, 1_000_000, "good");
        batch.AddText(4, 2_000_000, "b\0d");

        rig.Give(ProcessorRig.Frame(1, batch));

        var (time, text) = (
            Assert.Single(rig.DeadLetters, d => d.Reason == DeadLetterReason.Time),
            Assert.Single(rig.DeadLetters, d => d.Reason == DeadLetterReason.Value));
        Assert.Equal(2, rig.DeadLetters.Length);
        var series = Samples.Series();
        Assert.Equal(
            (WireReader.TimeMax + 1, 1, series.Entries[0].Identity), (time.Time, time.Readings, time.Series));
        Assert.Equal(2.5, BitConverter.ToDouble(time.Bytes.Span));
        Assert.Equal((DeadLetterContent.Value, (ReadingFlags)(byte)Quality.Bad), (time.Content, time.Flags));
        Assert.Equal((2_000_000, 1, series.Entries[4].Identity), (text.Time, text.Readings, text.Series));
        Assert.Equal("b\0d", Encoding.UTF8.GetString(text.Bytes.Span));
        Assert.Equal(["", "good"], rig.Readings.Select(r => Encoding.UTF8.GetString(r.Text.Span)).Order());
        Assert.Equal((2, 2, 0), Shares(Assert.Single(rig.Frames)));
        AssertBooks(rig, stored: 2, rejected: 2, dropped: 0);
    }

    [Fact]
    public void Frame_of_an_unknown_schema_settles_nothing_until_schema_and_frame_came()
    {
        var rig = new ProcessorRig();
        var frame = ProcessorRig.Floats(1, readings: 3);

        rig.Give(frame);

        var needed = Assert.Single(rig.SchemasNeeded);
        Assert.Equal((Samples.Schema().Id, Key(1, 3)), (needed.Schema, needed.Frame));
        Assert.DoesNotContain(rig.Acks, a => a.Ack.Epochs.Any(e => e.Lanes[(int)Lane.Live].Prefix > 0));
        Assert.Empty(rig.Frames);
        AssertBooks(rig, stored: 0, rejected: 0, dropped: 0);

        rig.Give(ProcessorRig.Schema(), frame);

        Assert.Single(rig.Frames);
        Assert.Equal(3, rig.Readings.Length);
        AssertBooks(rig, stored: 3, rejected: 0, dropped: 0);
        Assert.Contains(rig.Acks, a => a.Ack.KnownSchemas.Contains(Samples.Schema().Id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Frame_that_comes_twice_is_stored_once(bool inOneTransaction)
    {
        var rig = ProcessorRig.WithSchema();
        var frame = ProcessorRig.Floats(1, readings: 3);

        rig.Give(inOneTransaction ? [frame, frame] : [frame]);
        if (!inOneTransaction)
        {
            rig.Give(frame);
        }

        Assert.Equal(1, rig.Counters.Duplicates);
        Assert.Single(rig.Frames);
        Assert.Equal(3, rig.Readings.Length);
        AssertBooks(rig, stored: 3, rejected: 0, dropped: 0);
        Assert.Empty(rig.DeadLetters);
        Assert.Equal("", rig.Books.Fork);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    public void Settled_range_with_other_content_is_a_fork(long first, int readings)
    {
        var rig = ProcessorRig.WithSchema();
        var other = ProcessorRig.Floats(first, readings, value: 70);
        rig.Give(ProcessorRig.Floats(1, readings: 3, value: 20));

        rig.Give(other);

        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal((DeadLetterReason.Fork, Key(first, readings), 0), (letter.Reason, letter.Frame, letter.Readings));
        Assert.Equal(other, letter.Bytes.ToArray());
        Assert.StartsWith("content: ", rig.Books.Fork, StringComparison.Ordinal);
        Assert.Contains(rig.Acks, a => a.Ack.Fork);
        Assert.Equal([20.0, 21.0, 22.0], rig.Readings.Select(r => BitConverter.UInt64BitsToDouble(r.Bits)));
        AssertBooks(rig, stored: 3, rejected: 0, dropped: 0);
    }

    private static FrameKey Key(long first, int count) => new(ProcessorRig.Epoch, Lane.Live, first, count);

    private static (int Stored, int Rejected, int Dropped) Shares(FrameRegisterRow row) =>
        (row.Stored, row.Rejected, row.Dropped);

    private static void AssertBooks(ProcessorRig rig, long stored, long rejected, long dropped) => Assert.Equal(
        (stored, rejected, dropped, 0), (rig.Books.Stored, rig.Books.Rejected, rig.Books.Dropped, rig.Books.Lost));

    private static void AssertDeclared(ProcessorRig rig, FrameKey frame)
    {
        var series = Samples.Series().Entries;
        Assert.Equal(
            [new(ProcessorRig.Gateway, frame, series[1].Identity, Thinned), new DropLedgerRow(
                ProcessorRig.Gateway, frame, series[4].Identity, Refused)],
            rig.Drops);
    }
}
