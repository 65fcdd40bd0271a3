using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Processing.Windows;

public sealed class GatewayWindowsTests
{
    private const long Minute = 60_000_000, Memory = 30_000_000;
    private static readonly SeriesEntry Series = StoreSteps.Numbered(MetricType.Int);

    private readonly PartPool _pool = new();
    private readonly List<WindowPart> _copies = [];

    [Fact]
    public void Part_is_written_when_the_watermark_has_reached_the_end_of_its_window()
    {
        var windows = New();
        Add(windows, 0, 1);
        Add(windows, 1, 2);
        Assert.Empty(Commit(windows, Minute - 1, 0));
        Assert.Equal((new OpenSpan(0, 2 * Minute), 2), (windows.Span, windows.Count));

        var written = Commit(windows, Minute, 0);

        Assert.Equal([(0L, 1L)], written);
        Assert.Equal((new OpenSpan(Minute, 2 * Minute), 1), (windows.Span, windows.Count));
        Assert.Equal([(Minute, 2L)], Commit(windows, 5 * Minute, 0));
        Assert.True(windows.IsEmpty);
    }

    [Fact]
    public void Readings_of_several_transactions_make_one_part()
    {
        var windows = New();
        Add(windows, 0, 1);
        Commit(windows, long.MinValue, 0);
        Add(windows, 0, 2, 3);
        Commit(windows, long.MinValue, 0);
        Add(windows, 0, 4);

        Assert.Equal([(0L, 10L)], Commit(windows, Minute, 0));
    }

    [Fact]
    public void Part_of_a_window_that_this_transactions_watermark_passes_never_gathers()
    {
        var windows = New();
        Add(windows, 0, 7);

        Assert.Equal([(0L, 7L)], Commit(windows, Minute, 0));
        Assert.True(windows.IsEmpty);
    }

    [Theory]
    [InlineData(0, Minute + Memory)]
    [InlineData(5 * Minute, (5 * Minute) + Memory)]
    public void Part_is_due_a_time_after_its_windows_end_or_its_first_reading(long now, long due)
    {
        var windows = New();
        Add(windows, 0, 1);
        Commit(windows, long.MinValue, now);
        Assert.False(windows.IsDue(due - 1));
        Assert.Empty(Commit(windows, long.MinValue, due - 1));
        Assert.True(windows.IsDue(due));

        Assert.Equal([(0L, 1L)], Commit(windows, long.MinValue, due));

        Assert.False(windows.IsDue(long.MaxValue));
        Assert.True(windows.IsEmpty);
    }

    [Fact]
    public void Readings_after_a_part_was_written_make_another_part()
    {
        var windows = New();
        Add(windows, 0, 1);
        Commit(windows, long.MinValue, 0);
        Add(windows, 0, 2);
        Assert.Equal([(0L, 3L)], Commit(windows, long.MinValue, Minute + Memory));
        Add(windows, 0, 4);
        Assert.Empty(Commit(windows, long.MinValue, Minute + Memory));

        Assert.Equal([(0L, 4L)], Commit(windows, Minute, Minute + Memory));
    }

    [Fact]
    public void All_parts_are_written_once_when_that_is_asked_for()
    {
        var windows = New();
        Add(windows, 0, 1);
        Add(windows, 7, 2);
        Commit(windows, long.MinValue, 0);
        windows.WriteAll = true;
        Assert.True(windows.IsDue(long.MinValue));
        Add(windows, 3, 3);

        Assert.Equal([(0L, 1L), (3 * Minute, 3L), (7 * Minute, 2L)], Commit(windows, long.MinValue, 0).Order());
        Assert.True(windows.IsEmpty);
        Add(windows, 3, 3);
        Assert.Empty(Commit(windows, long.MinValue, 0));
    }

    [Fact]
    public void Rollback_changes_nothing()
    {
        var windows = New();
        Add(windows, 0, 1);
        Add(windows, 1, 2);
        Commit(windows, long.MinValue, 0);

        foreach (var watermark in (long[])[long.MinValue, Minute, 9 * Minute])
        {
            Add(windows, 0, 100);
            Add(windows, 2, 100);
            Assert.True(windows.IsTouched);
            windows.Write(watermark, 0, [], _copies, _pool);
            windows.RolledBack(_pool);
            Assert.False(windows.IsTouched);
            Assert.Equal((new OpenSpan(0, 2 * Minute), 2), (windows.Span, windows.Count));
        }

        Assert.Equal([(0L, 1L), (Minute, 2L)], Commit(windows, 9 * Minute, 0).Order());
    }

    [Fact]
    public void Parts_of_an_owner_that_is_gone_hold_the_span_until_they_are_folded_anew()
    {
        var span = new OpenSpan(0, 3 * Minute);
        var windows = new GatewayWindows(StoreSteps.Gateway, span);
        Assert.True(windows.MustRebuild);
        Assert.False(windows.IsEmpty);
        Assert.Empty(Commit(windows, 9 * Minute, long.MaxValue));
        Assert.Equal((true, span), (windows.MustRebuild, windows.Span));

        windows.Rebuild(span.To);
        Add(windows, 1, 5);
        windows.Write(long.MinValue, 0, [], _copies, _pool);
        windows.RolledBack(_pool);
        Assert.Equal((true, false, span), (windows.MustRebuild, windows.Rebuilding, windows.Span));

        windows.Rebuild(span.To);
        Assert.True(windows.IsTouched);
        Add(windows, 1, 5);
        Assert.Empty(Commit(windows, long.MinValue, 0));
        Assert.Equal(
            (false, false, new OpenSpan(Minute, 2 * Minute)), (windows.MustRebuild, windows.Rebuilding, windows.Span));
        Assert.Equal([(Minute, 5L)], Commit(windows, 2 * Minute, 0));
    }

    [Fact]
    public void Parts_go_back_to_the_pool_and_are_used_again()
    {
        var windows = New();
        for (var minute = 0; minute < 50; minute++)
        {
            Add(windows, minute, 1);
            Commit(windows, minute * Minute, 0);
        }

        var before = new HashSet<WindowPart>();
        for (var i = 0; i < 3; i++)
        {
            before.Add(_pool.Take());
        }

        Assert.InRange(before.Count(p => p.Count > 0), 1, 2);
    }

    private static GatewayWindows New() => new(StoreSteps.Gateway, OpenSpan.None);

    private void Add(GatewayWindows windows, int minute, params long[] values)
    {
        var part = windows.Added(Series, new WindowSpan(minute * Minute, 60), _pool);
        foreach (var value in values)
        {
            part.Add(part.Start, ReadingFlags.None, (ulong)value, 0);
        }
    }

    // What is written, by start and sum.
    private List<(long Start, long Sum)> Commit(GatewayWindows windows, long watermark, long now)
    {
        var parts = new List<WindowPart>();
        var next = windows.Write(watermark, now, parts, _copies, _pool);
        var written = parts.Select(p => (p.Start, p.ExactSum!.Value)).ToList();
        windows.Committed(watermark, now, Memory, _pool);
        Assert.Equal(next, windows.Span);
        return written;
    }
}
