using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// Reads the oldest segments and merges neighbours into frames, each sorted by (series, time). A segment whose bytes
/// are damaged becomes a tombstone that declares its readings.
/// </summary>
internal sealed class BacklogMerge(IOutboxFile file, OutboxState state, OutboxOptions options)
{
    /// <summary>The most frames of one call, whose readings are in memory together.</summary>
    public const int FramesMax = 64;

    /// <summary>The bytes of a frame besides its columns: header and checksum.</summary>
    private const int HeadBytes = 80;

    // Frames are planned by an estimate. Only this part of the limit is planned, so that the estimate may be wrong.
    private const double Filled = 0.9;

    private readonly List<SortedBatch> _rows = [];
    private readonly ReadingBatch _scratch = new();

    // The bytes of merged columns divided by the bytes of their segments, learnt from the segments merged last.
    private double _merged = 1;

    /// <summary>
    /// Plans about <paramref name="framesMax"/> frames of at most <paramref name="readingsMax"/> readings and about
    /// <paramref name="bytesMax"/> bytes; more only where the oldest segment alone needs more. Returns null when
    /// nothing waits.
    /// </summary>
    public async ValueTask<BacklogPlan?> ReadAsync(
        int framesMax, int readingsMax, int bytesMax, CancellationToken cancellationToken)
    {
        framesMax = Math.Clamp(framesMax, 1, FramesMax);
        readingsMax = Math.Clamp(readingsMax, 1, FrameHeader.CountMax);
        var columnsMax = Math.Clamp(bytesMax - HeadBytes, HeadBytes, options.SegmentBytesMax);
        var groups = Groups(framesMax, readingsMax, columnsMax);
        List<long> drops = [.. state.Drops.Select(d => d.Id)];
        var parts = new List<SealPart>();
        AddDeclarations(parts, state.Drops.Select(d => d.Declaration));
        for (var i = 0; i < groups.Count; i++)
        {
            if (i == _rows.Count)
            {
                _rows.Add(new SortedBatch());
            }

            await AddGroupAsync(parts, groups[i], _rows[i], readingsMax, columnsMax, cancellationToken);
        }

        return parts.Count == 0
            ? null : new BacklogPlan([.. groups.SelectMany(g => g).Select(s => s.Id)], drops, parts);
    }

    private List<List<SegmentFacts>> Groups(int framesMax, int readingsMax, int columnsMax)
    {
        var groups = new List<List<SegmentFacts>>();
        int frames = 0, readings = 0;
        double bytes = 0;
        foreach (var segment in state.Segments.Oldest)
        {
            var joins = groups.Count > 0
                && readings + segment.Count <= readingsMax
                && bytes + Estimate(segment) <= Filled * columnsMax;
            if (!joins)
            {
                var needs = Frames(segment.Count, Estimate(segment), readingsMax, columnsMax);
                if (groups.Count > 0 && frames + needs > framesMax)
                {
                    break;
                }

                groups.Add([]);
                frames += needs;
                (readings, bytes) = (0, 0);
            }

            groups[^1].Add(segment);
            readings += segment.Count;
            bytes += Estimate(segment);
        }

        return groups;
    }

    /// <summary>The estimated bytes of a segment's readings in frames.</summary>
    private double Estimate(SegmentFacts segment) =>
        state.FrameVersion == 0 ? OfferBytes.Of(segment.Count, 0) : segment.Bytes * _merged;

    private static int Frames(int readings, double bytes, int readingsMax, int columnsMax) => Math.Max(
        (readings + readingsMax - 1) / readingsMax,
        bytes <= columnsMax ? 1 : (int)Math.Ceiling(bytes / (Filled * columnsMax)));

    private async ValueTask AddGroupAsync(
        List<SealPart> parts, List<SegmentFacts> group, SortedBatch rows, int readingsMax, int columnsMax,
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

        if (group.Sum(Estimate) is var estimate && estimate > columnsMax)
        {
            // Pieces of about equal size, so that the first attempt to cut one usually fits.
            var pieces = Frames(rows.Batch.Count, estimate, readingsMax, columnsMax);
            readingsMax = Math.Clamp((rows.Batch.Count + pieces - 1) / pieces, 1, readingsMax);
        }

        var columnBytes = 0L;
        for (var order = rows.Sorted(); !order.IsEmpty;)
        {
            var length = FrameSizeLimit.Length(
                rows.Batch, order.Span, state.Series.Types, readingsMax, columnsMax, state.FrameVersion, out var bytes);
            parts.Add(SealPart.OfRows(Lane.Backlog, rows.Batch, order[..length]));
            order = order[length..];
            columnBytes += bytes;
        }

        if (state.FrameVersion > 0 && group.Sum(s => (long)s.Bytes) is > 0 and var segmentBytes)
        {
            _merged = Math.Clamp((_merged + ((double)columnBytes / segmentBytes)) / 2, 0.05, 2);
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
            // The checksum of the file was right and yet the bytes are not readings: treat them as damaged all the
            // same.
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
                if (readings == FrameHeader.CountMax || part.Count == FrameSizeLimit.SeriesMax)
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
