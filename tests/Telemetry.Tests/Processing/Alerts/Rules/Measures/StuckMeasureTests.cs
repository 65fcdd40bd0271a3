using Telemetry.Processing.Alerts.Rules.Measures;
using Telemetry.Storage.Alerts;

namespace Telemetry.Tests.Processing.Alerts.Rules.Measures;

public sealed class StuckMeasureTests
{
    [Fact]
    public void Seconds_without_a_change_are_counted_from_the_first_reading_with_the_value()
    {
        var memory = default(MeasureMemory);

        Assert.Equal([0.0, 10, 30, 0, 5], [
            Take(ref memory, 100, 7), Take(ref memory, 110, 7), Take(ref memory, 130, 7), Take(ref memory, 140, 8),
            Take(ref memory, 145, 8)]);
    }

    [Fact]
    public void Unknown_value_is_taken_for_the_same()
    {
        var memory = new MeasureMemory(100_000_000, double.NaN);

        Assert.Equal([20.0, 30, 0], [
            Take(ref memory, 120, 7), Take(ref memory, 130, 7), Take(ref memory, 131, 6)]);
    }

    private static double Take(ref MeasureMemory memory, long seconds, double value)
    {
        Assert.True(new StuckMeasure(TimeSpan.FromHours(1)).TryTake(
            ref memory, seconds * 1_000_000, value, out var measured));
        return measured;
    }
}
