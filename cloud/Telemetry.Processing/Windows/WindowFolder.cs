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
internal sealed class WindowFolder
{
    private readonly WindowCounters _counters;
    private readonly bool _isOff;
    private readonly long _reachMicros, _memoryMicros;
    private readonly PartPool _pool = new();
    private readonly HashSet<GatewayWindows> _touched = [];
    private readonly ImmediateParts _immediate;
    private readonly List<WindowPart> _spare = [];
    private GatewayWindows _windows = null!;
    private bool _inMemory, _inPart;
    private long _watermark, _reachFirst, _reachLast;
    private WindowPart? _part;
    private WindowWidths _widths = WindowWidths.None;

    public WindowFolder(WindowOptions options, WindowCounters counters)
    {
        (_counters, _isOff) = (counters, options.IsOff);
        (_reachMicros, _memoryMicros) = (Micros(options.MemoryReach), Micros(options.MemoryTime));
        _immediate = new ImmediateParts(_pool);
    }

    /// <summary>A new transaction begins, with the widths that are known now.</summary>
    public void Begin(WindowWidths widths)
    {
        _widths = widths;
        Clear();
    }

    /// <summary>A transaction begins that stores no readings.</summary>
    public void Clear()
    {
        foreach (var part in _spare)
        {
            _pool.Return(part);
        }

        _spare.Clear();
        _immediate.Clear();
        _touched.Clear();
    }

    /// <summary>
    /// Begins a frame whose readings are stored; <see cref="EndFrame"/> ends it. <paramref name="watermark"/> is the
    /// gateway's before this transaction. <paramref name="cause"/> is why the frame is late if its windows are
    /// complete; a frame that was recovered or waited in the cloud (<paramref name="isDelayed"/>) does not gather in
    /// memory.
    /// </summary>
    public void BeginFrame(
        GatewayWindows windows, FrameKey frame, long watermark, long receivedAtMicros, RevisionCause cause,
        bool isDelayed)
    {
        Touch(windows);
        _immediate.Begin(windows.Gateway, frame, watermark, cause);
        (_windows, _watermark, _part) = (windows, watermark, null);
        _inMemory = frame.Lane == Lane.Live && !isDelayed && windows.IsWhole;
        _inPart = !windows.IsWhole;
        (_reachFirst, _reachLast) = (receivedAtMicros - _reachMicros, receivedAtMicros + _reachMicros);
    }

    /// <summary>Folds one reading that is stored.</summary>
    public void Take(SeriesEntry series, long time, ReadingFlags flags, ulong bits, ulong hash)
    {
        if (_isOff)
        {
            return;
        }

        if (_part is not { } part || !ReferenceEquals(part.Series, series) || time < part.Start || time >= part.End
            || _inPart)
        {
            _part = part = Find(series, _widths.Of(series.Definition.Metric, time), time);
        }

        part.Add(time, flags, bits, hash);
    }

    /// <summary>Ends the frame.</summary>
    public void EndFrame()
    {
        _immediate.End();
        _part = null;
    }

    /// <summary>
    /// Folds stored readings of a gateway's open windows anew, into memory: those up to <paramref name="readTo"/>. With
    /// the last of them, what was written of these windows is removed. <paramref name="watermark"/> is the gateway's
    /// before this transaction.
    /// </summary>
    public void Rebuild(
        GatewayWindows windows, long watermark, ReadingBuffer rows, int first, int count, long readTo,
        StoreCommit commit)
    {
        Touch(windows);
        windows.Rebuild(readTo);
        if (windows.IsWhole)
        {
            commit.RemovedParts.Add(new PartRemoval(windows.Gateway, windows.Span, watermark));
            _counters.Rebuilt++;
        }

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
    public void WriteRest(StoreCommit commit) => _immediate.WriteTo(commit);

    /// <summary>
    /// The transaction committed; <paramref name="watermark"/> finds a gateway's, as it was when its parts were
    /// written.
    /// </summary>
    public void Committed(Func<GatewayId, long> watermark, long nowMicros, StoreCommit commit)
    {
        _counters.Parts += commit.Parts.Count;
        _counters.Revisions += commit.Revisions.Count;
        foreach (var windows in _touched)
        {
            _counters.Open -= windows.Count;
            windows.Committed(watermark(windows.Gateway), nowMicros, _memoryMicros, _pool);
            _counters.Open += windows.Count;
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

    private WindowPart Find(SeriesEntry series, WindowSpan span, long time) =>
        span.End > _watermark && (_inPart ? IsReadAgain(span, time) : IsInMemory(span))
            ? _windows.Added(series, span, _pool)
            : _immediate.Find(series, span);

    private bool IsInMemory(WindowSpan span) => _inMemory && span.End > _reachFirst && span.Start < _reachLast;

    // While a rebuild is under way: the written parts of its windows are removed at its end, and it reads only later
    // event times.
    private bool IsReadAgain(WindowSpan span, long time) => time < _windows.ReadTo && _windows.Span.Contains(span);

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
