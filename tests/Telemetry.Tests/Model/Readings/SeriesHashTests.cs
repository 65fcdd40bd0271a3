using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Model.Readings;

public sealed class SeriesHashTests
{
    [Fact]
    public void Hash_by_series_is_that_of_each_reading_by_itself()
    {
        var random = new Random(17);
        for (var n = 0; n < 10_000; n++)
        {
            var series = new SeriesIdentity(Any(random), Any(random));
            var type = (MetricType)random.Next(5);
            var (time, bits, flags) = ((long)Any(random), Any(random), (ReadingFlags)random.Next(256));

            Assert.Equal(
                ReadingHash.Of(series, time, type, bits, flags), new SeriesHash(series, type).Of(time, bits, flags));
        }
    }

    [Theory]
    [InlineData(MetricType.Float)]
    [InlineData(MetricType.Text)]
    public void Hashes_of_rows_are_those_of_each_row(MetricType type)
    {
        var series = new SeriesIdentity(3, 4);
        var batch = new ReadingBatch();
        batch.Add(7, 1, 2UL);
        batch.Add(7, 2, 0UL, ReadingFlags.Null);
        if (type == MetricType.Text)
        {
            batch.Clear();
            batch.AddText(7, 1, "a");
            batch.Add(7, 2, 0UL, ReadingFlags.Null);
        }

        batch.Add(7, 3, 0UL, ReadingFlags.Null | ReadingFlags.TimeEstimated);
        var hashes = new ulong[2];

        var sum = ReadingHash.OfRows(batch, 1, hashes, series, type);

        Assert.Equal(
            [ReadingHash.OfRow(batch, 1, series, type), ReadingHash.OfRow(batch, 2, series, type)], hashes);
        Assert.Equal(unchecked(hashes[0] + hashes[1]), sum);
    }

    private static ulong Any(Random random) => random.Next(8) switch
    {
        0 => 0,
        1 => ulong.MaxValue,
        _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
    };
}
