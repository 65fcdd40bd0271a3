using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WindowWidthTests
{
    private const long Minute = 60_000_000;

    [Theory]
    [InlineData("a.x", long.MinValue / 2, 1)]
    [InlineData("a.x", -1, 1)]
    [InlineData("a.x", 0, 5)]
    [InlineData("a.x", 600_000_000 - 1, 5)]
    [InlineData("a.x", 600_000_000, 20)]
    [InlineData("a.y", -1, 1)]
    [InlineData("a.y", 300_000_000, 10)]
    [InlineData("b", 0, 60)]
    [InlineData("b", 900_000_000, 300)]
    public void Entry_from_the_beginning_is_valid_until_another_one_is(string metric, long time, int width) =>
        Assert.Equal(
            width,
            new WindowWidths(
            [
                new(new("a.*"), 2, WindowWidth.Beginning),
                new(new("a.*"), 1, WindowWidth.Beginning),
                new(new("a.x"), 10, 10 * Minute),
                new(new("a.x"), 20, 10 * Minute),
                new(new("a.*"), 5, 0),
                new(new("a.y"), 10, 5 * Minute),
                new(new("b"), 300, 15 * Minute),
            ]).Of(metric, time).WidthSeconds);

    [Fact]
    public void It_is_shown_as_the_file_has_it()
    {
        Assert.Equal("a 150 s from the beginning", new WindowWidth(new("a"), 150, WindowWidth.Beginning).ToString());
        Assert.Equal(
            "a 10 s with quantiles from the beginning",
            new WindowWidth(new("a"), 10, WindowWidth.Beginning, HasQuantiles: true).ToString());
        Assert.Equal("b 5 min from 1969-12-31T23:55:00Z", new WindowWidth(new("b"), 300, -5 * Minute).ToString());
    }
}
