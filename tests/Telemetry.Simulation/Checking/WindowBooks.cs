using System.Globalization;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// What must hold of windows in a world that came to rest: the merge of the parts of each window that is not open is
/// what a plain computation from the stored readings gives.
/// </summary>
internal static class WindowBooks
{
    public static IEnumerable<string> Check(SimulatedWorld world)
    {
        var database = world.Store.Content;
        var parts = database.Parts.Values.SelectMany(p => p)
            .ToLookup(p => (p.Series.Identity, p.Start, p.WidthSeconds));
        foreach (var gateway in world.Gateways)
        {
            var row = database.Gateways.GetValueOrDefault(gateway.Id);
            var entries = database.Schemas.Where(s => s.Key.Gateway == gateway.Id).SelectMany(s => s.Value.Series())
                .Select(d => new SeriesEntry(gateway.Id, d)).DistinctBy(e => e.Identity).ToDictionary(e => e.Identity);
            var windows = SimulatedDatabase.All(database.Readings).Where(r => entries.ContainsKey(r.Series))
                .GroupBy(r => (r.Series, Window: WindowSpan.Of(r.Time, WindowWidths.DefaultSeconds)));
            foreach (var window in windows)
            {
                var (series, span) = window.Key;
                if (row is not null && row.OpenWindows.Contains(span) && span.End > row.Watermark)
                {
                    continue;
                }

                var merged = new WindowPart().Begin(entries[series], span);
                foreach (var part in parts[(series, span.Start, span.WidthSeconds)])
                {
                    merged.Merge(part);
                }

                var (found, expected) = (Text(merged), Text(entries[series], [.. window]));
                if (found != expected)
                {
                    yield return $"{gateway.Id}: the window of {series} from {span.Start} is {found}, its readings "
                        + $"give {expected}";
                }
            }
        }
    }

    private static string Text(WindowPart part) => Text(
        part.Count, part.Values, part.Nulls, part.Uncertain, part.Bad, part.HashSum,
        part.Values == 0 || !part.HasNumbers ? null
            : (part.Sum, Number(part, part.MinBits), Number(part, part.MaxBits), Number(part, part.FirstBits),
                Number(part, part.LastBits)));

    private static string Text(SeriesEntry series, SimulatedReading[] readings)
    {
        var values = readings
            .Where(r => (r.Flags & ReadingFlags.Null) == 0 && Quality(r) < Model.Readings.Quality.Bad)
            .Select(r => (r.Time, Value: Value(series.Type, r.Bits))).Where(v => !double.IsNaN(v.Value))
            .OrderBy(v => v.Time).ThenBy(v => v.Value).ToArray();
        return Text(
            readings.Length, values.Length, readings.Count(r => (r.Flags & ReadingFlags.Null) != 0),
            readings.Count(r => Quality(r) == Model.Readings.Quality.Uncertain),
            readings.Count(r => Quality(r) >= Model.Readings.Quality.Bad),
            readings.Aggregate(0ul, (sum, r) => sum + r.Hash),
            values.Length == 0 || series.Type == MetricType.Text ? null
                : (values.Sum(v => v.Value), values.Min(v => v.Value), values.Max(v => v.Value), values[0].Value,
                    values[^1].Value));
    }

    private static Quality Quality(SimulatedReading reading) => (Quality)(reading.Flags & ReadingFlags.QualityMask);

    private static double Value(MetricType type, ulong bits) => type switch
    {
        MetricType.Float => BitConverter.UInt64BitsToDouble(bits),
        MetricType.Int => (long)bits,
        MetricType.Text => 0,
        _ => bits,
    };

    private static double Number(WindowPart part, ulong bits) => part.IsExact
        ? (long)bits / ScaledNumber.Power(part.Decimals)
        : BitConverter.UInt64BitsToDouble(bits);

    private static string Text(
        int count, int values, int nulls, int uncertain, int bad, ulong hash,
        (double Sum, double Min, double Max, double First, double Last)? numbers)
    {
        var counts = $"{count} readings, {values} values, {nulls} null, {uncertain} uncertain, {bad} bad";
        return numbers is var (sum, min, max, first, last)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{counts}, hash {hash:x16}, sum {sum:G9}, min {min:R}, max {max:R}, first {first:R}, last {last:R}")
            : $"{counts}, hash {hash:x16}, no numbers";
    }
}
