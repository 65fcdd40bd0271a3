using System.Globalization;
using System.Runtime.InteropServices;
using Telemetry.Model.Readings;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// Recorded sensor data, where TELEMETRY_TEST_DATA says that it lies: its README names the sources. Each series is of
/// type Float; a file's columns are its series.
/// </summary>
internal static class SensorData
{
    /// <summary>The folder; null when there is none.</summary>
    public static string? Folder =>
        Environment.GetEnvironmentVariable("TELEMETRY_TEST_DATA") is { Length: > 0 } folder && Directory.Exists(folder)
            ? folder : null;

    /// <summary>
    /// 131,072 temperatures of cities with one decimal, given a time a second each: batches of so many.
    /// </summary>
    public static IEnumerable<ReadingBatch> CityTemperatures(int readings)
    {
        var values = MemoryMarshal.Cast<byte, ulong>(File.ReadAllBytes(Path.Combine(Folder!, "city_temperature_f.f64")))
            .ToArray();
        for (var start = 0; start < values.Length; start += readings)
        {
            var batch = new ReadingBatch();
            for (var i = start; i < Math.Min(values.Length, start + readings); i++)
            {
                batch.Add(0, 1_700_000_000_000_000 + (i * 1_000_000L), values[i]);
            }

            yield return batch;
        }
    }

    /// <summary>All columns of a CSV file whose first is a time, as batches of so many readings.</summary>
    public static IEnumerable<ReadingBatch> Csv(string file, int readings)
    {
        var batch = new ReadingBatch();
        foreach (var line in File.ReadLines(Path.Combine(Folder!, file)).Skip(1))
        {
            var cells = line.Replace("\"", "", StringComparison.Ordinal).Split(',');
            var time = DateTime.ParseExact(
                cells[0],
                "yyyy-MM-dd HH:mm:ss",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
            for (var column = 1; column < cells.Length; column++)
            {
                batch.Add(
                    column - 1,
                    (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
                    double.Parse(cells[column], CultureInfo.InvariantCulture));
                if (batch.Count == readings)
                {
                    yield return batch;
                    batch = new ReadingBatch();
                }
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }
}
