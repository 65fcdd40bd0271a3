using Telemetry.Model;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// Reads the oldest segments and merges neighbours into frames, each sorted by (series, time). A segment whose bytes
/// are damaged becomes a tombstone that declares its readings.
/// </summary>
internal sealed class BacklogMerge(IOutboxFile file, OutboxState state, OutboxOptions options)
{
    /// <summary>The most frames of one call: their readings are in memory together.</summary>
    public const int FramesMax = 64;

    private readonly List<WaitingReadings.Rows> _rows = [];
    private readonly ReadingBatch _scratch = new();

    /// <summary>
    /// Plans about <paramref name="framesMax"/> frames of at most <paramref name="readingsMax"/> readings; more only
    /// where the oldest segment alone needs more. No plan when nothing waits.
    /// </summary>
    public async ValueTask<BacklogPlan?> ReadAsync(int framesMax, int readingsMax, CancellationToken cancellationToken)
    {
        framesMax = Math.Clamp(framesMax, 1, FramesMax);
        readingsMax = Math.Clamp(readingsMax, 1, FrameHeader.CountMax);
        var groups = Groups(framesMax, readingsMax);
        List<long> drops = [.. state.Drops.Select(d => d.Id)];
        var parts = new List<SealPart>();
        AddDeclarations(parts, state.Drops.Select(d => d.Declaration));
        for (var i = 0; i < groups.Count; i++)
        {
            if (i == _rows.Count)
            {
                _rows.Add(new WaitingReadings.Rows());
            }

            await AddGroupAsync(parts, groups[i], _rows[i], readingsMax, cancellationToken);
        }

        return parts.Count == 0
            ? null : new BacklogPlan([.. groups.SelectMany(g => g).Select(s => s.Id)], drops, parts);
    }

    private List<List<SegmentFacts>> Groups(int framesMax, int readingsMax)
    {
        var groups = new List<List<SegmentFacts>>();
        int frames = 0, readings = 0, bytes = 0;
        foreach (var segment in state.Segments.Oldest)
        {
            var joins = groups.Count > 0
                && readings + segment.Count <= readingsMax
                && bytes + segment.Bytes <= options.SegmentBytesMax;
            if (!joins)
            {
                var needs = (segment.Count + readingsMax - 1) / readingsMax;
                if (groups.Count > 0 && frames + needs > framesMax)
                {
                    break;
                }

                groups.Add([]);
                frames += needs;
                readings = bytes = 0;
            }

            groups[^1].Add(segment);
            readings += segment.Count;
            bytes += segment.Bytes;
        }

        return groups;
    }

    private async ValueTask AddGroupAsync(
        List<SealPart> parts, List<SegmentFacts> group, WaitingReadings.Rows rows, int readingsMax,
        CancellationToken ct)
    {
        rows.Batch.Clear();
        foreach (var segment in group)
        {
            var stored = await file.ReadSegmentAsync(segment.Id, ct);
            if (!TryDecode(stored.Data, segment.Count))
            {
                AddDeclarations(parts, SeriesCounts.Declare(
                    stored.Counts,
                    segment.Count,
                    segment.Series,
                    state.Series.Types.Length,
                    segment.TimeFirst,
                    segment.TimeLast,
                    DropReason.Damaged));
                continue;
            }

            for (var row = 0; row < _scratch.Count; row++)
            {
                rows.Batch.AddFrom(_scratch, row, state.Series.Types[_scratch.Series[row]]);
            }
        }

        for (var order = rows.Sorted(); !order.IsEmpty;)
        {
            var length = ReadingCut.Length(
                rows.Batch, order.Span, state.Series.Types, readingsMax, options.SegmentBytesMax, state.FrameVersion);
            parts.Add(SealPart.OfRows(Lane.Backlog, rows.Batch, order[..length]));
            order = order[length..];
        }
    }

    private bool TryDecode(byte[]? data, int count)
    {
        _scratch.Clear();
        if (data is null)
        {
            return false;
        }

        try
        {
            SegmentColumns.Read(data, _scratch, count, state.Series.Types);
            return true;
        }
        catch (WireFormatException)
        {
            // The file vouched for the bytes and they are still no readings: damaged all the same.
            return false;
        }
    }

    private static void AddDeclarations(List<SealPart> parts, IEnumerable<Declaration> declarations)
    {
        var part = new List<Declaration>();
        var readings = 0;
        foreach (var declaration in declarations)
        {
            for (var left = declaration.Count; left > 0;)
            {
                if (readings == FrameHeader.CountMax || part.Count == ReadingCut.SeriesMax)
                {
                    parts.Add(SealPart.OfDeclarations(Lane.Backlog, part));
                    part = [];
                    readings = 0;
                }

                var taken = Math.Min(left, FrameHeader.CountMax - readings);
                part.Add(declaration with { Count = taken });
                readings += taken;
                left -= taken;
            }
        }

        if (part.Count > 0)
        {
            parts.Add(SealPart.OfDeclarations(Lane.Backlog, part));
        }
    }
}
