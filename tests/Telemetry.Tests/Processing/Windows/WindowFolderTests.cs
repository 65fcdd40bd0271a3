using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Windows;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Processing.Windows;

public sealed class WindowFolderTests
{
    private const long Minute = 60_000_000, Second = 1_000_000, Now = 100 * Minute;
    private static readonly SeriesEntry Series = StoreSteps.Numbered(MetricType.Int);

    private readonly WindowCounters _counters = new();
    private readonly GatewayWindows _windows = new(StoreSteps.Gateway, OpenSpan.None);
    private readonly WindowFolder _folder;
    private readonly StoreCommit _commit = new();

    public WindowFolderTests() => _folder = new WindowFolder(
        new WindowOptions { MemoryReach = TimeSpan.FromMinutes(10), MemoryTime = TimeSpan.FromMinutes(1) }, _counters);

    [Theory]
    [InlineData(Lane.Live, 0, false, true)]
    [InlineData(Lane.Live, -10, false, true)]
    [InlineData(Lane.Live, -11, false, false)]
    [InlineData(Lane.Live, 9, false, true)]
    [InlineData(Lane.Live, 10, false, false)]
    [InlineData(Lane.Live, 0, true, false)]
    [InlineData(Lane.Critical, 0, false, false)]
    [InlineData(Lane.Backlog, 0, false, false)]
    public void Live_readings_near_their_arrival_gather_and_all_others_make_a_part_at_once(
        Lane lane, int minutes, bool delayed, bool gathers)
    {
        Frame(lane, long.MinValue, delayed, Now + (minutes * Minute) + Second);

        Commit(long.MinValue);

        Assert.Equal(gathers ? (0, 1, 0L) : (1, 0, 1L), (_commit.Parts.Count, _windows.Count, _counters.Parts));
        Assert.Equal(_windows.Count, _counters.Open);
    }

    [Fact]
    public void Frames_that_do_not_gather_share_the_part_of_a_window_in_one_transaction()
    {
        Frame(Lane.Backlog, long.MinValue, false, Now, Now + 1, Now + Minute);
        Frame(Lane.Critical, long.MinValue, false, Now + 2);

        Commit(long.MinValue);

        Assert.Equal([(Now, 3), (Now + Minute, 1)], _commit.Parts.Select(p => (p.Start, p.Count)).Order());
        Assert.Empty(_commit.Revisions);
    }

    [Theory]
    [InlineData(Now + Minute - 1, 0, false)]
    [InlineData(Now + Minute, 0, true)]
    [InlineData(Now + Minute, 1, false)]
    [InlineData(Now + Minute + 1, 1, true)]
    public void Part_of_a_window_that_was_complete_is_a_revision(long watermark, long extraLateness, bool late)
    {
        var series = new SeriesEntry(
            StoreSteps.Gateway, Series.Definition with { ExtraLatenessMicros = extraLateness })
        { Number = 3 };
        Frame(Lane.Backlog, watermark, false, series, Now);

        Commit(watermark);

        Assert.Equal(late, Assert.Single(_commit.Parts).IsLate);
        Assert.Equal(late ? 1 : 0, _commit.Revisions.Count);
    }

    [Fact]
    public void Run_of_readings_is_cut_at_the_ends_of_windows()
    {
        long[] times = [Now, Now + 1, Now + Minute, Now + (3 * Minute), Now + 2, Now + Minute - 1, Now + Minute];
        _folder.BeginFrame(_windows, Key(Lane.Live, 1), long.MinValue, Now, RevisionCause.Late, isDelayed: false);
        var zeros = new ulong[times.Length];
        _folder.Take(0, Series, times, new ReadingFlags[times.Length], zeros, zeros);
        _folder.EndFrame();

        Commit(Now + (5 * Minute));

        Assert.Equal(
            [(Now, 4), (Now + Minute, 2), (Now + (3 * Minute), 1)],
            _commit.Parts.Select(p => (p.Start, p.Count)).Order());
    }

    [Fact]
    public void Windows_of_series_with_one_place_in_two_lists_are_not_confused()
    {
        var other = StoreSteps.Numbered(MetricType.Int, device: "another");
        foreach (var series in (SeriesEntry[])[Series, other, Series, other])
        {
            Frame(Lane.Live, long.MinValue, false, series, Now);
            Commit(long.MinValue);
            _folder.Clear();
        }

        Commit(Now + Minute);

        Assert.Equal([2, 2], _commit.Parts.Select(p => p.Count));
    }

    [Fact]
    public void Reading_after_the_widths_changed_takes_the_width_of_its_time_now()
    {
        Frame(Lane.Live, long.MinValue, false, Now);
        Commit(long.MinValue);
        _folder.Begin(new WindowWidths([new WindowWidth(NamePattern.Any, 10, WindowWidth.Beginning)]));
        Frame(Lane.Live, long.MinValue, false, Now + (30 * Second));

        Commit(Now + Minute);

        Assert.Equal(
            [(Now, 60), (Now + (30 * Second), 10)], _commit.Parts.Select(p => (p.Start, p.WidthSeconds)).Order());
    }

    [Fact]
    public void Each_frame_makes_a_revision_of_its_own()
    {
        var (first, second) = (Key(Lane.Live, 1), Key(Lane.Backlog, 7));
        Frame(first, Now + Minute, RevisionCause.Late, false, Series, Now, Now + 1);
        Frame(second, Now + Minute, RevisionCause.Recovered, true, Series, Now, Now + Minute);

        Commit(Now + Minute);

        Assert.Equal(
            [(first, RevisionCause.Late, 2), (second, RevisionCause.Recovered, 1)],
            _commit.Revisions.Select(r => (r.Frame, r.Cause, r.Part.Count)));
        Assert.Equal([false, true, true], _commit.Parts.Select(p => p.IsLate).Order());
        Assert.Equal(2, _counters.Revisions);
    }

    [Fact]
    public void Rollback_leaves_the_memory_and_the_next_transaction_as_if_nothing_was()
    {
        Frame(Lane.Live, long.MinValue, false, Now);
        Commit(long.MinValue);
        _folder.Clear();
        _commit.Clear();
        Frame(Lane.Live, long.MinValue, false, Now + 1);
        Frame(Lane.Backlog, long.MinValue, false, Now);
        Frame(Lane.Backlog, Now + (9 * Minute), false, Now);
        _folder.Write(_windows, Now + Minute, Now, _commit);
        _folder.WriteRest(_commit);
        _folder.RolledBack();
        _commit.Clear();
        Frame(Lane.Live, long.MinValue, false, Now + 2);

        Commit(Now + Minute);

        Assert.Equal([2], _commit.Parts.Select(p => p.Count));
        Assert.Empty(_commit.Revisions);
        Assert.Equal((0, 0L), (_windows.Count, _counters.Open));
    }

    [Fact]
    public void Rebuild_removes_what_was_written_and_folds_whole_windows_of_the_span_that_are_not_complete()
    {
        var windows = new GatewayWindows(StoreSteps.Gateway, new OpenSpan(Now - Minute, Now + Minute));
        var rows = new ReadingBuffer();
        foreach (var time in (long[])[Now - (2 * Minute), Now - Minute, Now - 1, Now, Now + 1, Now + Minute])
        {
            rows.Add(Series, time, ReadingFlags.None, 1);
        }

        Assert.False(Gathers(windows));
        _folder.Rebuild(windows, Now, rows, 1, rows.Count - 1, windows.Span.To, _commit);
        Assert.True(Gathers(windows));

        Assert.Equal(
            [new PartRemoval(StoreSteps.Gateway, new OpenSpan(Now - Minute, Now + Minute), Now)], _commit.RemovedParts);
        var left = _folder.Write(windows, Now, Now, _commit);
        _folder.WriteRest(_commit);
        // The window before the watermark keeps its parts; the one after it is in memory.
        Assert.Equal(new OpenSpan(Now, Now + (6 * Minute)), left);
        Assert.Single(_commit.Parts);
        _folder.Committed(_ => Now, Now, _commit);
        Assert.Equal((2, false, 1L), (windows.Count, windows.MustRebuild, _counters.Rebuilt));

        bool Gathers(GatewayWindows windows)
        {
            _folder.BeginFrame(windows, Key(Lane.Live, 1), Now, Now, RevisionCause.Late, isDelayed: false);
            _folder.Take(0, Series, [Now + (5 * Minute)], [ReadingFlags.None], [1], [1]);
            _folder.EndFrame();
            return windows.IsTouched;
        }
    }

    private static FrameKey Key(Lane lane, long first) => new(9, lane, first, 3);

    private void Frame(Lane lane, long watermark, bool delayed, params long[] times) =>
        Frame(lane, watermark, delayed, Series, times);

    private void Frame(Lane lane, long watermark, bool delayed, SeriesEntry series, params long[] times) =>
        Frame(Key(lane, 1), watermark, RevisionCause.Late, delayed, series, times);

    private void Frame(
        FrameKey key, long watermark, RevisionCause cause, bool delayed, SeriesEntry series, params long[] times)
    {
        _folder.BeginFrame(_windows, key, watermark, Now, cause, delayed);
        foreach (var time in times)
        {
            _folder.Take(0, series, [time], [ReadingFlags.None], [1], [1]);
        }

        _folder.EndFrame();
    }

    private void Commit(long watermark)
    {
        _folder.Write(_windows, watermark, Now, _commit);
        _folder.WriteRest(_commit);
        _folder.Committed(_ => watermark, Now, _commit);
    }
}
