using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WindowSpanTests
{
    [Theory]
    [InlineData(0, 60, 0)]
    [InlineData(59_999_999, 60, 0)]
    [InlineData(60_000_000, 60, 60_000_000)]
    [InlineData(-1, 60, -60_000_000)]
    [InlineData(-60_000_000, 60, -60_000_000)]
    [InlineData(-60_000_001, 60, -120_000_000)]
    [InlineData(1_700_000_123_456_789, 10, 1_700_000_120_000_000)]
    public void Window_of_a_time_begins_at_a_multiple_of_its_width(long time, int width, long start)
    {
        var window = WindowSpan.Of(time, width);

        Assert.Equal(new WindowSpan(start, width), window);
        Assert.True(window.Contains(time) && window.Contains(window.Start) && window.Contains(window.End - 1));
        Assert.False(window.Contains(window.End) || window.Contains(window.Start - 1));
    }
}
