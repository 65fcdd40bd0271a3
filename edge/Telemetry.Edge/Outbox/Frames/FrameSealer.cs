using System.Runtime.InteropServices;
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// The content of a future frame: rows of a batch, or declarations only. Times are the span of what it covers.
/// </summary>
public readonly record struct SealPart(
    Lane Lane, ReadingBatch Batch, ReadOnlyMemory<int> Order, List<Declaration> Declarations, long TimeFirst,
    long TimeLast)
{
    private static readonly ReadingBatch NoReadings = new(1);
    private static readonly List<Declaration> NoDeclarations = [];

    public int Count => Order.Length + Declarations.Sum(d => d.Count);

    /// <summary>The greatest index of its series.</summary>
    public int SeriesMax()
    {
        var max = 0;
        var series = Batch.Series;
        foreach (var row in Order.Span)
        {
            max = Math.Max(max, series[row]);
        }

        foreach (var declaration in Declarations)
        {
            max = Math.Max(max, declaration.Series);
        }

        return max;
    }

    public static SealPart OfRows(Lane lane, ReadingBatch batch, ReadOnlyMemory<int> order)
    {
        var (first, last) = TimeSpanOf(batch, order.Span);
        return new SealPart(lane, batch, order, NoDeclarations, first, last);
    }

    public static SealPart OfDeclarations(Lane lane, List<Declaration> declarations) => new(
        lane, NoReadings, default, declarations, declarations.Min(d => d.TimeFirst), declarations.Max(d => d.TimeLast));

    public static (long First, long Last) TimeSpanOf(ReadingBatch batch, ReadOnlySpan<int> order)
    {
        var times = batch.Times;
        long first = long.MaxValue, last = long.MinValue;
        foreach (var row in order)
        {
            first = Math.Min(first, times[row]);
            last = Math.Max(last, times[row]);
        }

        return (first, last);
    }
}

/// <summary>
/// Gives the parts of one commit their sequences and seals them as frames. Live and critical frames carry a promise,
/// whose W never exceeds what is sealed after the frame.
/// </summary>
internal sealed class FrameSealer
{
    private readonly WireWriter _writer = new(FrameHeader.BytesMax);
    private readonly WireWriter _scratch = new();

    /// <summary>
    /// Seals the parts in their order; the epoch's sequences continue after <paramref name="lasts"/>. <paramref
    /// name="w"/> is the W that holds after the last part; null when no promise can be made. Tombstones, which have no
    /// columns, always have version 0.
    /// </summary>
    public List<FrameRow> Seal(
        IReadOnlyList<SealPart> parts, EpochState epoch, ref LaneLasts lasts, long? w, PromiseRest rest,
        SeriesRegister series, byte version)
    {
        var frames = new List<FrameRow>(parts.Count);
        var behind = TimesBehind(parts);
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            var key = new FrameKey(epoch.Epoch, part.Lane, lasts[part.Lane] + 1, part.Count);
            var isFirst = lasts[part.Lane] == 0;
            lasts = lasts.With(part.Lane, key.Last);
            var header = new FrameHeader
            {
                Version = part.Order.IsEmpty ? (byte)0 : version,
                Kind = part.Order.IsEmpty ? FrameKind.Tombstone : FrameKind.Readings,
                Key = key,
                Dropped = key.Count - part.Order.Length,
                Schema = series.SchemaOf(part.SeriesMax()),
                Predecessor = isFirst ? epoch.Predecessor : null,
                Promise = w is { } promised && part.Lane != Lane.Backlog
                    ? rest.Promise(Math.Min(promised, behind[i]), new EpochLasts(epoch.Epoch, lasts))
                    : null,
            };
            frames.Add(Write(header, part, series));
        }

        return frames;
    }

    /// <summary>Seals one frame with a given header.</summary>
    public FrameRow Write(FrameHeader header, in SealPart part, SeriesRegister series)
    {
        var declarations = CollectionsMarshal.AsSpan(part.Declarations);
        _writer.Clear();
        var checksum = FrameWriter.Write(
            _writer,
            header,
            declarations,
            part.Batch,
            part.Order.Span,
            series.Types);
        byte[] counts =
        [
            .. SeriesCounts.OfRows(part.Batch, part.Order.Span, _scratch),
            .. SeriesCounts.OfDeclarations(declarations, _scratch),
        ];
        return new FrameRow(
            header.Key,
            header.Dropped,
            checksum,
            header.Schema,
            _writer.Length,
            Held: true,
            Receipt: null,
            part.Order.IsEmpty ? declarations[0].Series : part.Batch.Series[part.Order.Span[0]],
            part.TimeFirst,
            part.TimeLast,
            _writer.ToArray(),
            counts);
    }

    private static long[] TimesBehind(IReadOnlyList<SealPart> parts)
    {
        var behind = new long[parts.Count];
        var min = long.MaxValue;
        for (var i = parts.Count - 1; i >= 0; i--)
        {
            behind[i] = min;
            min = Math.Min(min, parts[i].TimeFirst);
        }

        return behind;
    }
}

/// <summary>
/// What all promises of one commit share: the other open epochs, and the digest of the complete ones.
/// </summary>
internal sealed record PromiseRest(IReadOnlyList<EpochLasts> Others, ulong Digest)
{
    public Promise Promise(long w, EpochLasts own) => new(w, [own, .. Others], Digest);
}
