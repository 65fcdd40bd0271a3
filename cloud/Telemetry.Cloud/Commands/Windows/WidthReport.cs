using System.Globalization;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Cloud.Commands.Windows;

/// <summary>Widths of windows as the command <c>windows</c> shows them.</summary>
internal static class WidthReport
{
    /// <summary>A window with fewer readings costs more rows than its aggregates are worth.</summary>
    public const int ReadingsMin = 10;

    /// <summary>The most metrics shown for an entry: those with the fewest readings in a window.</summary>
    private const int MetricsMax = 20;

    /// <summary>
    /// The entries of a file, one a line; with <paramref name="rates"/> the metrics that each fits, and how many
    /// readings their windows hold.
    /// </summary>
    public static void WriteEntries(
        TextWriter output, IReadOnlyList<WindowWidth> entries, IReadOnlyList<ReadingRate>? rates = null)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            output.WriteLine($"entry {i + 1}: {entries[i]}");
            if (rates is not null)
            {
                WriteRates(output, entries[i], rates);
            }
        }
    }

    /// <summary>The widths in the database, one a line.</summary>
    public static void WriteList(TextWriter output, IReadOnlyList<AddedWidth> widths)
    {
        for (var i = 0; i < widths.Count; i++)
        {
            var (width, at, by) = widths[i];
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"entry {i + 1}: {width}; added {at:yyyy-MM-dd'T'HH:mm:ss'Z'} by {by}"));
        }

        output.WriteLine($"other metrics and times: {WindowWidth.ShowWidth(WindowWidths.DefaultSeconds)}");
    }

    private static void WriteRates(TextWriter output, WindowWidth entry, IReadOnlyList<ReadingRate> rates)
    {
        var metrics = rates.Where(r => entry.Metric.Fits(r.Metric))
            .Select(r => (Rate: r, Readings: r.InWindow(entry.WidthSeconds)))
            .OrderBy(m => m.Readings).ThenBy(m => m.Rate.Metric, StringComparer.Ordinal).ToArray();
        if (metrics.Length == 0)
        {
            output.WriteLine("  no metric that it fits had readings in the last day");
            return;
        }

        foreach (var (rate, readings) in metrics.Take(MetricsMax))
        {
            var warning = readings < ReadingsMin
                ? $"; WARNING: under {ReadingsMin}, a wider window costs less and says as much" : "";
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {rate.Metric}: {rate.Series} series, {readings:0.#} readings a window{warning}"));
        }

        if (metrics.Length > MetricsMax)
        {
            var under = metrics.Skip(MetricsMax).Count(m => m.Readings < ReadingsMin);
            output.WriteLine($"  and {metrics.Length - MetricsMax} more metrics, {under} of them under {ReadingsMin}");
        }
    }
}
