using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Windows;

/// <summary>
/// Folds each reading that is stored into a part of its window, on the processor's thread. Live readings near their
/// arrival gather in memory until the watermark passes their window; everything else makes a part in the transaction
/// that stores it. A part of a window that was complete before is a revision, of one frame.
/// </summary>
internal sealed class WindowFolder(WindowOptions options, WindowCounters counters)
{
    private readonly WindowWidths _widths = options.Widths;
    private readonly long _reachMicros = Micros(options.MemoryReach), _memoryMicros = Micros(options.MemoryTime);
    private readonly PartPool _pool = new();
    private readonly HashSet<GatewayWindows> _touched = [];
    private readonly Dictionary<WindowKey, WindowPart> _atOnce = [], _late = [];
    private readonly List<WindowPart> _parts = [], _spare = [];
    private readonly List<WindowRevisionRow> _revisions = [];
    private GatewayWindows _windows = null!;
    private FrameKey _frame;
    private RevisionCause _cause;
    private bool _inMemory;
    private long _watermark, _reachFirst, _reachLast;
    private WindowPart? _part;

    /// <summary>A new transaction begins.</summary>
    public void Clear()
    {
        foreach (var part in _spare)
        {
            _pool.Return(part);
        }

        _spare.Clear();
        _atOnce.Clear();
        _parts.Clear();
        _revisions.Clear();
        _touched.Clear();
    }

    /// <summary>
    /// Begins a frame whose readings are stored; <see cref="End"/> ends it. <paramref name="watermark"/> is the
    /// gateway's before this transaction. <paramref name="cause"/> is why the frame is late if its windows are
    /// complete; a frame that was recovered or waited in the cloud (<paramref name="isDelayed"/>) does not gather in
    /// memory.
    /// </summary>
    public void Begin(
        GatewayWindows windows, FrameKey frame, long watermark, long receivedAtMicros, RevisionCause cause,
        bool isDelayed)
    {
        Touch(windows);
        (_windows, _frame, _watermark, _cause, _part) = (windows, frame, watermark, cause, null);
        _inMemory = frame.Lane == Lane.Live && !isDelayed && (!windows.MustRebuild || windows.Rebuilding);
        (_reachFirst, _reachLast) = (receivedAtMicros - _reachMicros, receivedAtMicros + _reachMicros);
    }

    /// <summary>Folds one reading that is stored.</summary>
    public void Take(SeriesEntry series, long time, ReadingFlags flags, ulong bits, ulong hash)
    {
        if (options.IsOff)
        {
            return;
        }

        if (_part is not { } part || !ReferenceEquals(part.Series, series) || time < part.Start || time >= part.End)
        {
            _part = part = Find(series, _widths.Of(series.Definition.Metric, time));
        }

        part.Add(time, flags, bits, hash);
    }

    /// <summary>Ends the frame.</summary>
    public void End()
    {
        foreach (var part in _late.Values)
        {
            part.IsLate = true;
            _parts.Add(part);
            _revisions.Add(new WindowRevisionRow(_windows.Gateway, _frame, _cause, part));
        }

        _late.Clear();
        _part = null;
    }

    /// <summary>
    /// Folds the stored readings of a gateway's open windows anew, into memory; what was written of these windows is
    /// removed. <paramref name="watermark"/> is the gateway's before this transaction.
    /// </summary>
    public void Rebuild(
        GatewayWindows windows, long watermark, ReadingBuffer rows, int first, int count, StoreCommit commit)
    {
        Touch(windows);
        windows.BeginRebuild();
        commit.RemovedParts.Add(new PartRemoval(windows.Gateway, windows.Span, watermark));
        WindowPart? part = null;
        for (var row = first; row < first + count; row++)
        {
            var (series, time) = (rows.Series[row], rows.Times[row]);
            if (part is null || !ReferenceEquals(part.Series, series) || time < part.Start || time >= part.End)
            {
                var span = _widths.Of(series.Definition.Metric, time);
                part = span.End > watermark && windows.Span.Contains(span) ? windows.Added(series, span, _pool) : null;
            }

            part?.Add(time, rows.Flags[row], rows.Bits[row], rows.HashOf(row));
        }

        counters.Rebuilt++;
    }

    /// <summary>
    /// Adds to the commit the parts of a gateway's open windows that it writes, after its watermark has moved. Returns
    /// the span of those that stay in memory.
    /// </summary>
    public OpenSpan Write(GatewayWindows windows, long watermark, long nowMicros, StoreCommit commit)
    {
        Touch(windows);
        return windows.Write(watermark, nowMicros, commit.Parts, _spare, _pool);
    }

    /// <summary>Adds to the commit everything that does not gather in memory.</summary>
    public void WriteRest(StoreCommit commit)
    {
        _parts.AddRange(_atOnce.Values);
        commit.Parts.AddRange(_parts);
        commit.Revisions.AddRange(_revisions);
        _spare.AddRange(_parts);
    }

    /// <summary>
    /// The transaction committed; <paramref name="watermark"/> finds a gateway's, as it was when its parts were
    /// written.
    /// </summary>
    public void Committed(Func<GatewayId, long> watermark, long nowMicros, StoreCommit commit)
    {
        counters.Parts += commit.Parts.Count;
        counters.Revisions += commit.Revisions.Count;
        foreach (var windows in _touched)
        {
            counters.Open -= windows.Count;
            windows.Committed(watermark(windows.Gateway), nowMicros, _memoryMicros, _pool);
            counters.Open += windows.Count;
        }
    }

    /// <summary>The transaction did not commit.</summary>
    public void RolledBack()
    {
        foreach (var windows in _touched)
        {
            windows.RolledBack(_pool);
        }

        Clear();
    }

    private void Touch(GatewayWindows windows) => _touched.Add(windows);

    private WindowPart Find(SeriesEntry series, WindowSpan span)
    {
        if (span.End <= _watermark)
        {
            var complete = _watermark - span.End >= series.Definition.ExtraLatenessMicros;
            return Find(complete ? _late : _atOnce, series, span);
        }

        return _inMemory && span.End > _reachFirst && span.Start < _reachLast
            ? _windows.Added(series, span, _pool)
            : Find(_atOnce, series, span);
    }

    private WindowPart Find(Dictionary<WindowKey, WindowPart> parts, SeriesEntry series, WindowSpan span)
    {
        var key = new WindowKey(series.Identity, span.Start);
        if (!parts.TryGetValue(key, out var part))
        {
            parts[key] = part = _pool.Take().Begin(series, span);
        }

        return part;
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
