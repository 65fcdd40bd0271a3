using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>What a reading takes on the wire and on flash, header and checksum included.</summary>
public class FrameSizeTests
{
    [Theory]
    [InlineData(10, 10, false, 4)]
    [InlineData(10, 10, true, 4)]
    [InlineData(100, 1, false, 7)]
    [InlineData(100, 1, true, 7)]
    public void A_frame_of_a_second_is_small(int series, int hertz, bool jitter, double bytesMax) =>
        Assert.InRange(BytesAReading(new MixedSeries(series, hertz, jitter), seconds: 1), 1, bytesMax);

    [Theory]
    [InlineData(10, 10, false, 1.8)]
    [InlineData(10, 10, true, 3.2)]
    [InlineData(100, 1, false, 1.8)]
    [InlineData(100, 1, true, 3.2)]
    public void A_full_frame_takes_about_two_bytes_a_reading(int series, int hertz, bool jitter, double bytesMax) =>
        Assert.InRange(BytesAReading(new MixedSeries(series, hertz, jitter), 8192 / (series * hertz)), 0.5, bytesMax);

    [SensorDataFact]
    public void Recorded_decimals_come_near_their_entropy()
    {
        double bytes = 0, readings = 0;
        foreach (var batch in SensorData.CityTemperatures(8192))
        {
            bytes += SealedSizes.Frame(batch, [MetricType.Float], 1).Length;
            readings += batch.Count;
        }

        Assert.InRange(bytes * 8 / readings, 6, 7.5);
    }

    [SensorDataTheory]
    [InlineData("occupancy.csv", 6)]
    [InlineData("machine_temperature.csv", 1)]
    public void Recorded_columns_take_less_than_zlib_makes_of_them(string file, int columns)
    {
        MetricType[] types = [.. Enumerable.Repeat(MetricType.Float, columns)];
        double bytes = 0, zlib = 0;
        foreach (var batch in SensorData.Csv(file, 1000))
        {
            bytes += SealedSizes.Frame(batch, types, 1).Length;
            zlib += SealedSizes.Zlib(batch, types);
        }

        Assert.InRange(bytes / zlib, 0.1, 0.9);
    }

    private static double BytesAReading(MixedSeries series, int seconds)
    {
        double bytes = 0, readings = 0;
        for (var frame = 0; frame < 20; frame++)
        {
            var batch = series.Next(seconds);
            bytes += SealedSizes.Frame(batch, series.Types, 1).Length;
            readings += batch.Count;
        }

        return bytes / readings;
    }
}
