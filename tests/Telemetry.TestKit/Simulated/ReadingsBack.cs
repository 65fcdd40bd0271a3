using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Simulated;

/// <summary>Reads stored readings of gateways back, as an owner does that folds open windows anew.</summary>
internal static class ReadingsBack
{
    public static OpenReadingCounts Read(
        SimulatedDatabase database, IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways,
        Func<GatewayId, int, SeriesEntry?> series, ReadingBuffer rows, int readingsMax)
    {
        var (counts, left) = (new int[gateways.Count], readingsMax);
        for (var at = 0; at < gateways.Count; at++)
        {
            var (gateway, span) = gateways[at];
            var found = SimulatedDatabase.All(database.Readings)
                .Where(r => r.Time >= span.From && r.Time < span.To)
                .Select(r => (Row: r, Entry: series(gateway, database.Series[r.Series].Series)!))
                .Where(r => r.Entry?.Gateway == gateway).ToList();
            // As the server does: the limit takes those that come first in the table.
            counts[at] = Math.Min(found.Count, left);
            foreach (var (row, entry) in found.Take(left).OrderBy(r => r.Entry.Number).ThenBy(r => r.Row.Time))
            {
                Add(row, entry, rows);
            }

            if (found.Count > left)
            {
                return new OpenReadingCounts(counts, false);
            }

            left -= found.Count;
        }

        return new OpenReadingCounts(counts, true);
    }

    /// <summary>Adds a stored reading to a buffer.</summary>
    public static void Add(SimulatedReading row, SeriesEntry entry, ReadingBuffer rows)
    {
        if (row.Type == MetricType.Text && (row.Flags & ReadingFlags.Null) == 0)
        {
            rows.AddText(entry, row.Time, row.Flags, row.Text.Span);
        }
        else
        {
            rows.Add(entry, row.Time, row.Flags, row.Bits);
        }
    }
}
