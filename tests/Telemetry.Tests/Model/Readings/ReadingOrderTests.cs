using Telemetry.Model.Readings;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.Model.Readings;

public sealed class ReadingOrderTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(200, 1)]
    [InlineData(200, 3)]
    [InlineData(200, 200)]
    [InlineData(50, 790)]
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

    [Theory]
    [InlineData(20, 1)]
    [InlineData(20, -1)]
    [InlineData(60_000, -1)]
    public void Ordering_allocates_nothing_once_it_is_warm(int series, int direction)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < 1000; i++)
        {
            batch.Add((i * 59) % series, i * direction, 0UL);
        }

        var order = new int[1000];

        Assert.Equal(0, AllocatedBytes.Of(() => batch.Order(order)));
    }
}
