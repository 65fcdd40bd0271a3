using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>Which readings an outbox holds, from its disk.</summary>
internal static class EdgeContent
{
    /// <summary>All series of the outbox on a disk.</summary>
    public static SeriesList Series(GatewayId gateway, OutboxSnapshot disk) =>
        disk.Schemas.Values.Aggregate(SeriesList.Empty(gateway), (list, row) => list.Extend(row.Message));

    /// <summary>The hashes of a batch's readings.</summary>
    public static ulong[] Hashes(ReadingBatch batch, SeriesList series) =>
    [
        .. Enumerable.Range(0, batch.Count).Select(i => ReadingHash.OfRow(
            batch, i, series.Entries[batch.Series[i]].Identity, series.Types[batch.Series[i]])),
    ];

    /// <summary>The hashes of the readings that wait unsealed.</summary>
    public static ulong[] Unsealed(GatewayId gateway, OutboxSnapshot disk)
    {
        var series = Series(gateway, disk);
        var batch = new ReadingBatch();
        foreach (var segment in disk.Segments.Values)
        {
            SegmentColumns.Read(segment.Data.Span, batch, segment.Count, series.Types);
        }

        return Hashes(batch, series);
    }
}
