using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WindowWidthsTests
{
    private const long FiveMinutes = 300_000_000;

    [Fact]
    public void Width_is_a_minute_where_no_entry_fits()
    {
        Assert.Equal(60, WindowWidths.None.Of("flow", -1).WidthSeconds);
        Assert.Equal(60, Of("temp*", 10, 0).Of("flow", 1).WidthSeconds);
    }

    [Fact]
    public void Reading_takes_the_width_that_is_valid_at_its_own_time()
    {
        var widths = new WindowWidths(
            [Width("temp*", 10, 0), Width("temperature", 300, 2 * FiveMinutes), Width("*", 5, 0)]);

        Assert.Equal(
            [60, 5, 5, 300, 300],
            ((long[])[-1, 0, (2 * FiveMinutes) - 1, 2 * FiveMinutes, long.MaxValue / 2])
                .Select(t => widths.Of("temperature", t).WidthSeconds));
        Assert.Equal(5, widths.Of("flow", 9 * FiveMinutes).WidthSeconds);
        Assert.Equal(new WindowSpan(-60_000_000, 60), widths.Of("flow", -1));
    }

    [Fact]
    public void Of_two_entries_from_the_same_time_the_later_in_the_list_counts()
    {
        Assert.Equal(20, new WindowWidths([Width("*", 10, 0), Width("*", 20, 0)]).Of("flow", 5).WidthSeconds);
        Assert.Equal(10, new WindowWidths([Width("*", 20, 0), Width("*", 10, 0)]).Of("flow", 5).WidthSeconds);
    }

    [Fact]
    public void Windows_of_two_widths_never_overlap()
    {
        foreach (var (before, after) in WindowWidths.Allowed.SelectMany(a => WindowWidths.Allowed.Select(b => (a, b))))
        {
            var widths = new WindowWidths([Width("*", before, -FiveMinutes), Width("*", after, FiveMinutes)]);

            Assert.True(widths.Of("flow", FiveMinutes - 1).End <= widths.Of("flow", FiveMinutes).Start);
        }
    }

    [Theory]
    [InlineData(7, 0)]
    [InlineData(0, 0)]
    [InlineData(600, 0)]
    [InlineData(10, 1)]
    [InlineData(10, FiveMinutes + 10_000_000)]
    public void Width_that_would_let_windows_overlap_is_refused(int seconds, long from) =>
        Assert.Throws<ArgumentException>(() => Of("*", seconds, from));

    [Fact]
    public void More_metrics_than_are_remembered_change_nothing()
    {
        var widths = Of("m1*", 10, 0);

        for (var i = 0; i < 25_000; i++)
        {
            Assert.Equal($"{i}"[0] == '1' ? 10 : 60, widths.Of($"m{i}", 0).WidthSeconds);
        }
    }

    private static WindowWidths Of(string metric, int seconds, long from) => new([Width(metric, seconds, from)]);

    private static WindowWidth Width(string metric, int seconds, long from) =>
        new(new NamePattern(metric), seconds, from);
}
