using Telemetry.Processing.Alerts.Rules.Measures;
using Telemetry.Storage.Alerts;

namespace Telemetry.Tests.Processing.Alerts.Rules.Measures;

public sealed class RateMeasureTests
{
    [Fact]
    public void Difference_to_the_reading_before_counts_for_each_time()
    {
        var measure = new RateMeasure(TimeSpan.FromMinutes(1));
        var memory = default(MeasureMemory);

        Assert.False(measure.TryTake(ref memory, 1_000_000, 5, out _));
        Assert.True(measure.TryTake(ref memory, 31_000_000, 8, out var up));
        Assert.True(measure.TryTake(ref memory, 151_000_000, 4, out var down));
        Assert.Equal((6.0, -2.0), (up, down));
    }

    [Fact]
    public void Infinite_values_measure_nothing_after_each_other()
    {
        var measure = new RateMeasure(TimeSpan.FromMinutes(1));
        var memory = new MeasureMemory(1, double.PositiveInfinity);

        Assert.False(measure.TryTake(ref memory, 2, double.PositiveInfinity, out _));
    }
}
