using Telemetry.Edge.Outbox;
using Telemetry.Model;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Testing.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>Which readings an outbox holds, from its disk.</summary>
internal static class EdgeContent
{
    /// <summary>Hashes of all readings on the disk that the running agent has not freed.</summary>
    public static IEnumerable<ulong> Held(GatewayId gateway, OutboxSnapshot disk, Outbox outbox)
    {
        var series = SeriesList.Empty(gateway);
        foreach (var row in disk.Schemas.Values)
        {
            series = series.Extend(row.Message);
        }

        var batch = new ReadingBatch();
        foreach (var frame in disk.Frames.Values)
        {
            if (outbox.Find(frame.Id) is { Held: true } && !frame.Data.IsEmpty)
            {
                FrameReader.Read(frame.Data.Span, series.Types, batch, []);
            }
        }

        foreach (var segment in disk.Segments.Values)
        {
            SegmentColumns.Read(segment.Data.Span, batch, segment.Count, series.Types);
        }

        return [.. Enumerable.Range(0, batch.Count).Select(i => ReadingHash.OfRow(
            batch, i, series.Entries[batch.Series[i]].Identity, series.Types[batch.Series[i]]))];
    }
}
