using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WindowWidthsTests
{
    private const long Minute = 60_000_000;

    [Fact]
    public void Without_entries_a_window_is_a_minute() =>
        Assert.Equal(new WindowSpan(2 * Minute, 60), WindowWidths.None.Of("m", (3 * Minute) - 1));

    [Theory]
    [InlineData("a.x", -1, 1)]
    [InlineData("a.x", 0, 5)]
    [InlineData("a.x", 600_000_000 - 1, 5)]
    [InlineData("a.x", 600_000_000, 20)]
    [InlineData("a.x", 900_000_000, 20)]
    [InlineData("a.y", -1, 1)]
    [InlineData("a.y", 0, 5)]
    [InlineData("a.y", 300_000_000, 10)]
    [InlineData("a.y", 600_000_000, 10)]
    [InlineData("b", 0, 60)]
    [InlineData("b", 900_000_000, 300)]
    public void Latest_validFrom_counts_and_of_equal_ones_the_later_entry(string metric, long time, int width) =>
        Assert.Equal(
            width,
            new WindowWidths(
            [
                new(new("a.*"), 1, WindowWidth.Beginning),
                new(new("a.x"), 10, 10 * Minute),
                new(new("a.x"), 20, 10 * Minute),
                new(new("a.*"), 5, 0),
                new(new("a.y"), 10, 5 * Minute),
                new(new("b"), 300, 15 * Minute),
            ]).Of(metric, time).WidthSeconds);

    [Fact]
    public void Every_allowed_width_divides_the_common_time() =>
        Assert.All(WindowWidths.Allowed, width => Assert.Equal(0, WindowWidths.CommonSeconds % width));
}
