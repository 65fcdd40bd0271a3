using System.Diagnostics;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;

namespace Telemetry.Benchmarks;

/// <summary>
/// How small do frames of version 1 get, and how many values a second does one core make frames of and read back? The
/// limit of a size is zlib at level 9 over the same frame with plain columns; that of a speed is one copy of the
/// values' plain bytes. A value is a reading's, times and flags included; whole frames, checksum included.
/// </summary>
internal static class CodecBenchmark
{
    private const int SizeFrames = 20;
    private const double LeastSeconds = 2;
    private static readonly MetricType[] Floats = [.. Enumerable.Repeat(MetricType.Float, 6)];

    public static Task RunAsync(RunLength run)
    {
        var least = run.Seconds(LeastSeconds);
        if (SensorData.Folder is null)
        {
            Console.Error.WriteLine(
                "TELEMETRY_TEST_DATA names no folder of sensor data: only made-up readings are measured.");
        }
        else
        {
            Size("codec-size-city-temperatures", "bit/value", 8, SensorData.CityTemperatures(8192), Floats);
            Ratio("codec-ratio-occupancy", SensorData.Csv("occupancy.csv", 1000));
            Ratio("codec-ratio-machine-temperature", SensorData.Csv("machine_temperature.csv", 1000));
        }

        foreach (var jitter in (bool[])[false, true])
        {
            var stamps = jitter ? "jittered" : "regular";
            Mixed($"codec-size-10-series-10-hz-1-s-{stamps}", 10, 10, jitter, 1);
            Mixed($"codec-size-100-series-1-hz-1-s-{stamps}", 100, 1, jitter, 1);
            Mixed($"codec-size-10-series-10-hz-full-{stamps}", 10, 10, jitter, 81);
            Mixed($"codec-size-100-series-1-hz-full-{stamps}", 100, 1, jitter, 81);
        }

        if (SensorData.Folder is not null)
        {
            CodecSpeed.Run(least, "city-temperatures", SensorData.CityTemperatures(8192), Floats);
            CodecSpeed.Run(least, "occupancy", SensorData.Csv("occupancy.csv", 1000), Floats);
            CodecSpeed.Run(least, "machine-temperature", SensorData.Csv("machine_temperature.csv", 1000), Floats);
        }

        foreach (var jitter in (bool[])[false, true])
        {
            var stamps = jitter ? "jittered" : "regular";
            SpeedOfMixed(least, $"10-series-full-{stamps}", 10, 10, jitter, 81);
            SpeedOfMixed(least, $"100-series-full-{stamps}", 100, 1, jitter, 81);
            SpeedOfMixed(least, $"10-series-10-hz-1-s-{stamps}", 10, 10, jitter, 1);
            SpeedOfMixed(least, $"100-series-10-hz-1-s-{stamps}", 100, 10, jitter, 1);
            SpeedOfMixed(least, $"100-series-1-s-{stamps}", 100, 1, jitter, 1);
        }

        var texts = new TextReadings(new Random(7));
        CodecSpeed.Run(least, "100-log-lines", Frames(() => texts.Lines(100)), [MetricType.Text]);
        MetricType[] states = [.. Enumerable.Repeat(MetricType.Text, 10)];
        CodecSpeed.Run(least, "10-short-states", Frames(() => texts.ShortStates(states.Length)), states);
        WorstFrame.Run(least / 4);
        return Task.CompletedTask;
    }

    private static void Mixed(string name, int series, int hertz, bool jitter, int seconds)
    {
        var mixed = new MixedSeries(series, hertz, jitter);
        Size(name, "B/reading", 1, Enumerable.Range(0, SizeFrames).Select(_ => mixed.Next(seconds)), mixed.Types);
    }

    private static void SpeedOfMixed(TimeSpan least, string name, int series, int hertz, bool jitter, int seconds)
    {
        var mixed = new MixedSeries(series, hertz, jitter);
        CodecSpeed.Run(least, name, Frames(() => mixed.Next(seconds)), mixed.Types);
    }

    private static IEnumerable<ReadingBatch> Frames(Func<ReadingBatch> next) =>
        Enumerable.Range(0, CodecSpeed.FramesMax).Select(_ => next());

    private static void Size(
        string name, string unit, int unitsAByte, IEnumerable<ReadingBatch> batches, MetricType[] types)
    {
        double bytes = 0, zlib = 0, readings = 0;
        foreach (var batch in batches)
        {
            bytes += SealedSizes.Frame(batch, types, 1).Length;
            zlib += SealedSizes.Zlib(batch, types);
            readings += batch.Count;
        }

        Figure.Print(name, bytes * unitsAByte / readings, unit, "zlib-9", zlib * unitsAByte / readings);
    }

    private static void Ratio(string name, IEnumerable<ReadingBatch> batches)
    {
        double bytes = 0, zlib = 0;
        foreach (var batch in batches)
        {
            bytes += SealedSizes.Frame(batch, Floats, 1).Length;
            zlib += SealedSizes.Zlib(batch, Floats);
        }

        Figure.Print(name, bytes / zlib, "of-zlib-9", "zlib-9", 1);
    }

    /// <summary>
    /// Times a second: the best of many short stretches, so that what else runs on the machine counts little, and code
    /// is at its best.
    /// </summary>
    internal static double Rate(TimeSpan least, Action work)
    {
        const int stretch = 20;
        var best = double.MaxValue;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < least)
        {
            var began = Stopwatch.GetTimestamp();
            for (var i = 0; i < stretch; i++)
            {
                work();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds / stretch);
        }

        return 1 / best;
    }
}
