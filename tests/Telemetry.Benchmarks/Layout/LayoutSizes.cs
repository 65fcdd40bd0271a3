using System.Globalization;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Readings;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// Bytes a reading at rest on TimescaleDB, as stored and once upkeep has closed the chunks: recorded data, and random
/// walks of two decimals.
/// </summary>
internal static class LayoutSizes
{
    private const int ReadingsOfCommit = 8192, WalkSeries = 1_000, WalkTimes = 600;

    public static async Task RunAsync(string server)
    {
        if (SensorData.Folder is null)
        {
            Console.Error.WriteLine(
                "TELEMETRY_TEST_DATA names no folder of sensor data: only made-up readings are measured.");
        }
        else
        {
            await MeasureAsync(server, "city_temperatures", SensorData.CityTemperatures(ReadingsOfCommit));
            await MeasureAsync(server, "occupancy", SensorData.Csv("occupancy.csv", ReadingsOfCommit));
            await MeasureAsync(
                server, "machine_temperature", SensorData.Csv("machine_temperature.csv", ReadingsOfCommit));
        }

        await MeasureAsync(server, "walk_regular", Walks(jitterMicros: 1));
        await MeasureAsync(server, "walk_times_within_20_ms", Walks(jitterMicros: 20_000));
    }

    private static async Task MeasureAsync(string server, string name, IEnumerable<ReadingBatch> data)
    {
        var batches = data.ToList();
        var (store, connection) = await LayoutChunks.MakeAsync(server, "layout_sizes", 100);
        await using var closing = store;
        await using var open = connection;
        // One chunk: a chunk of few readings consists of the pages that every table has at least.
        await LayoutQueries.ExecuteAsync(
            connection, "SELECT set_chunk_time_interval('telemetry.reading', interval '1000 days')");
        var count = await StoreAsync(store, batches);
        var rows = await LayoutChunks.SizeAsync(connection) / count;
        await store.IndexReadingsAsync(CancellationToken.None);
        Figure.Print($"size.{name}.readings", count, "");
        Figure.Print($"size.{name}.stored", rows, "B/reading");
        Figure.Print($"size.{name}.closed", await LayoutChunks.SizeAsync(connection) / count, "B/reading");
    }

    private static async Task<int> StoreAsync(PostgresStore store, List<ReadingBatch> batches)
    {
        var row = await StoreSteps.Take(store);
        var series = new SeriesEntry[batches.Max(batch => batch.Series.ToArray().Max()) + 1];
        row = await StoreSteps.Commit(store, row, commit =>
        {
            for (var s = 0; s < series.Length; s++)
            {
                series[s] = commit.Register(new SeriesDefinition
                {
                    Device = $"device-{s / 20}",
                    Metric = string.Create(CultureInfo.InvariantCulture, $"m{s}"),
                    Type = MetricType.Float,
                    Decimals = DecimalsOf(batches, s),
                });
            }
        });
        foreach (var batch in batches)
        {
            row = await StoreSteps.Commit(store, row, commit =>
            {
                for (var i = 0; i < batch.Count; i++)
                {
                    commit.Readings.AddFrom(batch, i, series[batch.Series[i]]);
                }
            });
        }

        return batches.Sum(batch => batch.Count);
    }

    // The fewest decimals that hold 99 of 100 values, as somebody who knows the sensor would declare them.
    private static byte DecimalsOf(List<ReadingBatch> batches, int series)
    {
        var values = batches
            .SelectMany(batch => Enumerable.Range(0, batch.Count)
                .Where(i => batch.Series[i] == series).Select(i => batch.Bits[i]))
            .Take(10_000).ToList();
        for (byte decimals = 0; decimals <= ScaledNumber.DecimalsMax; decimals++)
        {
            if (values.Count(bits => ScaledNumber.TryScale(bits, decimals, out _)) >= values.Count * 0.99)
            {
                return decimals;
            }
        }

        return SeriesDefinition.DecimalsUnknown;
    }

    private static IEnumerable<ReadingBatch> Walks(int jitterMicros)
    {
        var random = new Random(7);
        var values = new int[WalkSeries];
        var start = new DateTimeOffset(2023, 11, 2, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;
        for (var first = 0; first < WalkTimes; first += 10)
        {
            var batch = new ReadingBatch(WalkSeries * 10);
            for (var series = 0; series < WalkSeries; series++)
            {
                for (var n = first; n < first + 10; n++)
                {
                    values[series] += random.Next(-10, 11);
                    batch.Add(
                        series, start + (n * 10_000_000L) + random.Next(jitterMicros), (2000 + values[series]) / 100.0);
                }
            }

            yield return batch;
        }
    }
}
