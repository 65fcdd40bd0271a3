using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Tests.Model;
using Telemetry.Tests.Processing.Alerts;

namespace Telemetry.Tests.Processing.DataFaults;

/// <summary>What the database refuses of a frame, for a reason that is found only there.</summary>
public sealed class RefusedDataTests
{
    private const string Refusal = "23514 no such value";

    private static readonly Declaration Thinned = new(1, 2, 5, 9, DropReason.Thinned);

    [Fact]
    public void Readings_that_the_database_refuses_are_dead_letters_with_its_words_and_all_others_are_stored()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => Has(commit, 42) ? Refusal : null;

        rig.Give(ProcessorRig.Floats(1, 3), ProcessorRig.Floats(4, 5, value: 40), ProcessorRig.Floats(9, 4));

        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal(
            (DeadLetterReason.Database, Refusal, Key(4, 5), 1, Samples.Series().Entries[0].Identity, 1_000_002),
            (letter.Reason, letter.Error, letter.Frame, letter.Readings, letter.Series, letter.Time));
        Assert.Equal((DeadLetterContent.Value, 42.0), (letter.Content, BitConverter.ToDouble(letter.Bytes.Span)));
        Assert.Equal([(3, 0, 0), (4, 1, 0), (4, 0, 0)], rig.Frames.Select(Shares));
        Assert.Equal(
            rig.Readings.Aggregate(0ul, (sum, r) => sum + r.Hash),
            rig.Frames.Aggregate(0ul, (sum, f) => sum + f.HashSum));
        AssertBooks(rig, stored: 11, rejected: 1, dropped: 0);
        Assert.Equal(0, rig.Counters.Errors);
    }

    [Fact]
    public void Search_waits_for_nothing_so_that_those_behind_a_bad_frame_do_not_wait_either()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => Has(commit, 42) ? Refusal : null;
        var messages = Enumerable.Range(0, 200).Select(i => ProcessorRig.Floats(1 + i, 1, value: i == 0 ? 42 : 1))
            .ToArray();
        var before = rig.Counters.Commits;

        var took = rig.TimeUntil(() => rig.Books.Stored == 199, messages);

        Assert.True(took < TimeSpan.FromSeconds(3), $"{took} of simulated time, at 40 ms a transaction");
        Assert.InRange(rig.Counters.DataFaults, 1, 10);
        Assert.True(rig.Counters.Commits - before < 20, $"{rig.Counters.Commits - before} transactions");
        AssertBooks(rig, stored: 199, rejected: 1, dropped: 0);
    }

    [Fact]
    public void Many_bad_frames_are_found_one_after_the_other()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => Has(commit, 42) ? Refusal : null;

        rig.Give(
            [.. Enumerable.Range(0, 60).Select(i => ProcessorRig.Floats(1 + (2 * i), 2, value: i % 3 == 0 ? 42 : 1))]);

        AssertBooks(rig, stored: 100, rejected: 20, dropped: 0);
        Assert.Equal(20, rig.DeadLetters.Length);
    }

    [Fact]
    public void Frame_whose_every_row_is_refused_keeps_its_declarations()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => commit.Readings.Count > 0 ? Refusal : null;

        rig.Give(ProcessorRig.Floats(1, readings: 4, 1, Thinned));

        Assert.Equal((0, 4, 2), Shares(Assert.Single(rig.Frames)));
        Assert.Equal(4, rig.DeadLetters.Length);
        Assert.Single(rig.Drops);
        AssertBooks(rig, stored: 0, rejected: 4, dropped: 2);
    }

    [Fact]
    public void Frame_of_readings_that_are_bad_together_only_is_rejected_whole()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => commit.Readings.Count is > 1 and < 5 ? Refusal : null;
        var frame = ProcessorRig.Floats(1, readings: 4, 1, Thinned);

        rig.Give(frame);

        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal(
            (DeadLetterReason.Database, 4, DeadLetterContent.Message), (letter.Reason, letter.Readings,
                letter.Content));
        Assert.Contains(Refusal, letter.Error, StringComparison.Ordinal);
        Assert.Equal(frame, letter.Bytes.ToArray());
        Assert.Equal((0, 4, 2), Shares(Assert.Single(rig.Frames)));
        AssertBooks(rig, stored: 0, rejected: 4, dropped: 2);
    }

    [Fact]
    public void Frame_whose_row_of_the_register_is_refused_blocks_nobody()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => commit.Frames.Exists(f => f.Key.First == 2) ? Refusal : null;

        rig.Give(ProcessorRig.Floats(1, 1), ProcessorRig.Floats(2, 4, 1, Thinned), ProcessorRig.Floats(8, 1));

        Assert.Equal(6, Assert.Single(rig.DeadLetters).Readings);
        Assert.Equal([1, 8], rig.Frames.Select(f => f.Key.First));
        Assert.Empty(rig.Drops);
        AssertBooks(rig, stored: 2, rejected: 6, dropped: 0);
    }

    [Fact]
    public void Schema_that_the_database_refuses_is_a_dead_letter_and_frames_of_it_wait_for_another_day()
    {
        var rig = new ProcessorRig();
        rig.Store.Refuses = commit => commit.Schemas.Count > 0 ? Refusal : null;

        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, 1));

        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal((DeadLetterReason.Database, 0), (letter.Reason, letter.Readings));
        Assert.Contains(Refusal, letter.Error, StringComparison.Ordinal);
        AssertBooks(rig, stored: 0, rejected: 0, dropped: 0);
        Assert.NotEmpty(rig.SchemasNeeded);
        rig.Store.Refuses = _ => null;
        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, 1));
        AssertBooks(rig, stored: 1, rejected: 0, dropped: 0);
    }

    [Fact]
    public void Ledger_that_is_refused_is_no_frames_fault_and_is_waited_for()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Refuses = commit => commit.Gateways.Count > 0 ? Refusal : null;

        rig.Give(ProcessorRig.Floats(1, 3));

        Assert.InRange(rig.Counters.Errors, 5, 120);
        AssertBooks(rig, stored: 0, rejected: 0, dropped: 0);
        rig.Store.Refuses = _ => null;
        rig.Give();
        Assert.Equal(3, rig.Books.Stored + rig.Books.Rejected);
    }

    [Theory]
    [InlineData("53100 no space left on device")]
    [InlineData("55P03 canceling statement due to lock timeout")]
    [InlineData("40P01 deadlock detected")]
    [InlineData("53200 out of memory")]
    [InlineData("57P01 terminating connection due to administrator command")]
    [InlineData("25006 cannot execute COPY in a read-only transaction")]
    public void Trouble_of_the_database_is_no_frames_fault(string trouble)
    {
        var rig = ProcessorRig.WithSchema();
        rig.Store.Fails = commit => commit.Readings.Count > 0 ? trouble : null;

        rig.Give(ProcessorRig.Floats(1, 3), ProcessorRig.Floats(4, 3));

        Assert.True(rig.Counters.Errors > 5, $"{rig.Counters.Errors} errors");
        Assert.Equal(0, rig.Counters.DataFaults);
        Assert.Empty(rig.DeadLetters);
        AssertBooks(rig, stored: 0, rejected: 0, dropped: 0);
        rig.Store.Fails = _ => null;
        rig.Give();
        AssertBooks(rig, stored: 6, rejected: 0, dropped: 0);
    }

    [Fact]
    public void Frame_of_bad_readings_makes_few_rows_and_loses_none()
    {
        var rig = ProcessorRig.WithSchema();
        var batch = new ReadingBatch();
        for (var i = 0; i < 1000; i++)
        {
            batch.AddText(4, i, i % 4 == 0 ? "good" : $"b\0d {i}");
        }

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal(257, rig.DeadLetters.Length);
        var shared = Assert.Single(rig.DeadLetters, d => d.Readings > 1);
        Assert.Equal(
            (DeadLetterContent.Readings, 750 - 256, Samples.Schema().Id), (shared.Content, shared.Readings,
                shared.Schema));
        var reader = new WireReader(shared.Bytes.Span);
        var kept = new ReadingBatch();
        ReadingColumns.Read(ref reader, kept, 1000, Samples.Series().Types);
        Assert.Equal(
            (750 - 256, "b\0d 999"), (kept.Count, System.Text.Encoding.UTF8.GetString(kept.Text(kept.Bits[^1]))));
        AssertBooks(rig, stored: 250, rejected: 750, dropped: 0);
    }

    [Fact]
    public void Time_outside_of_the_range_that_is_taken_is_rejected()
    {
        var rig = ProcessorRig.WithSchema(
            new()
            {
                TimeFirst = DateTimeOffset.UnixEpoch.AddSeconds(
                1),
                TimeLast = DateTimeOffset.UnixEpoch.AddSeconds(2)
            });
        var batch = new ReadingBatch();
        Array.ForEach([999_999L, 1_000_000, 2_000_000, 2_000_001], time => batch.Add(0, time, 1.0));

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal([999_999, 2_000_001], rig.DeadLetters.Select(d => d.Time));
        Assert.All(rig.DeadLetters, d => Assert.Equal(DeadLetterReason.Time, d.Reason));
        AssertBooks(rig, stored: 2, rejected: 2, dropped: 0);
    }

    [Fact]
    public void Good_reading_of_a_partly_refused_frame_alerts()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var batch = new ReadingBatch();
        batch.Add(0, rig.NowMicros, 50.0);
        batch.Add(1, rig.NowMicros, 7ul);
        var refused = Samples.Series().Entries[1].Identity;
        rig.Store.Refuses = commit =>
            commit.Readings.Series.ToArray().Any(s => s.Identity == refused) ? "22P02" : null;

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal(50.0, Assert.Single(rig.Alerts).Value);
        Assert.Equal((1, 1), (rig.Books.Stored, rig.Books.Rejected));
    }

    private static bool Has(StoreCommit commit, double value) =>
        commit.Readings.Bits.Contains(BitConverter.DoubleToUInt64Bits(value));

    private static FrameKey Key(long first, int count) => new(ProcessorRig.Epoch, Lane.Live, first, count);

    private static (int Stored, int Rejected, int Dropped) Shares(FrameRegisterRow row) =>
        (row.Stored, row.Rejected, row.Dropped);

    private static void AssertBooks(ProcessorRig rig, long stored, long rejected, long dropped) => Assert.Equal(
        (stored, rejected, dropped, 0), (rig.Books.Stored, rig.Books.Rejected, rig.Books.Dropped, rig.Books.Lost));
}
