using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// A tombstone that replaces a frame of the same range in the next commit, and the quarantine row that goes with it.
/// </summary>
internal sealed record FrameReplacement(HeldFrame Old, FrameRow Tombstone, QuarantineRow? Quarantined)
{
    /// <summary>Completes when it is durable, or when the frame had been removed before.</summary>
    public TaskCompletionSource Done { get; } = new();

    /// <summary>
    /// Declares the readings of a refused frame, series by series with their times; the header stays as it was.
    /// </summary>
    public static (FrameHeader Header, List<Declaration> Declarations) Refuse(
        byte[] bytes, ReadOnlySpan<MetricType> types)
    {
        var batch = new ReadingBatch();
        var inside = new List<Declaration>();
        var header = FrameReader.Read(bytes, types, batch, inside);
        var declarations = new List<Declaration>(inside);
        for (var start = 0; start < batch.Count;)
        {
            var series = batch.Series[start];
            long first = long.MaxValue, last = long.MinValue;
            var end = start;
            for (; end < batch.Count && batch.Series[end] == series; end++)
            {
                first = Math.Min(first, batch.Times[end]);
                last = Math.Max(last, batch.Times[end]);
            }

            declarations.Add(new Declaration(series, end - start, first, last, DropReason.Refused));
            start = end;
        }

        return (AsTombstone(header), declarations);
    }

    /// <summary>The header of a frame whose bytes are missing, as far as it is known.</summary>
    public static FrameHeader HeaderOf(HeldFrame frame, EpochState epoch) => AsTombstone(new FrameHeader
    {
        Key = frame.Key,
        Schema = frame.Schema,
        Predecessor = frame.Key.First == 1 ? epoch.Predecessor : null,
    });

    private static FrameHeader AsTombstone(FrameHeader header) =>
        header with { Version = 0, Kind = FrameKind.Tombstone, Dropped = header.Key.Count };
}
