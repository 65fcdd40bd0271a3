using Telemetry.Model.Readings;

namespace Telemetry.Tests.Shared;

public sealed class ReadingOrderTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(200, 1)]
    [InlineData(200, 3)]
    [InlineData(200, 200)]
    [InlineData(50, 60_000)]
    public void Rows_are_ordered_by_series_and_time_and_equal_ones_stay(int count, int seriesMax)
    {
        var random = new Random(count + seriesMax);
        for (var round = 0; round < 200; round++)
        {
            var batch = new ReadingBatch(16);
            var order = new int[count + 3];
            var span = random.Next(1, 2 * count);
            for (var i = 0; i < count; i++)
            {
                // Times that rise with i, and in every other round some that do not.
                batch.Add(random.Next(seriesMax + 1), (round % 2 == 0 ? i : random.Next(span)) - 5, (ulong)i);
            }

            batch.Order(order);

            Assert.Equal(
                Enumerable.Range(0, count).OrderBy(i => batch.Series[i]).ThenBy(i => batch.Times[i]),
                order[..count]);
        }
    }

    [Fact]
    public void Ordering_rows_of_rising_times_allocates_nothing_once_it_is_warm()
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < 1000; i++)
        {
            batch.Add(i % 20, i, 0UL);
        }

        var order = new int[1000];
        batch.Order(order);
        var before = GC.GetAllocatedBytesForCurrentThread();
        batch.Order(order);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
