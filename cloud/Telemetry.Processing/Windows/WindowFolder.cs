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
        windows.Begin(_widths);
        _immediate.Begin(windows.Gateway, frame, watermark, cause);
        (_windows, _watermark) = (windows, watermark);
        _inMemory = frame.Lane == Lane.Live && !isDelayed && windows.IsWhole;
        _inPart = !windows.IsWhole;
        (_reachFirst, _reachLast) = (receivedAtMicros - _reachMicros, receivedAtMicros + _reachMicros);
    }

    /// <summary>
    /// Folds a run of readings of one series that are stored; <paramref name="index"/> is its place in the gateway's
    /// list, and <paramref name="hashes"/> has the <see cref="ReadingHash"/> of each.
    /// </summary>
    public void Take(
        int index, SeriesEntry series, ReadOnlySpan<long> times, ReadOnlySpan<ReadingFlags> flags,
        ReadOnlySpan<ulong> bits, ReadOnlySpan<ulong> hashes)
    {
        if (_isOff)
        {
            return;
        }

        for (int at = 0, next; at < times.Length; at = next)
        {
            var part = Find(index, series, times[at]);
            next = at + 1;
            while (next < times.Length && times[next] >= part.Start && times[next] < part.End && !_inPart)
            {
                next++;
            }

            part.Add(times[at..next], flags[at..next], bits[at..next], hashes[at..next]);
        }
    }

    /// <summary>Ends the frame.</summary>
    public void EndFrame() => _immediate.End();

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

    private WindowPart Find(int index, SeriesEntry series, long time)
    {
        var window = _windows.Latest(index, series, time);
        var span = window?.Span ?? _widths.Of(series.Definition.Metric, time);
        return span.End <= _watermark || !(_inPart ? IsReadAgain(span, time) : IsInMemory(span))
            ? _immediate.Find(series, span)
            : window is null
                ? _windows.Added(series, span, _pool, index)
                : _windows.Added(window, series, _pool);
    }

    private bool IsInMemory(WindowSpan span) => _inMemory && span.End > _reachFirst && span.Start < _reachLast;

    // While a rebuild is under way: the written parts of its windows are removed at its end, and it reads only later
    // event times.
    private bool IsReadAgain(WindowSpan span, long time) => time < _windows.ReadTo && _windows.Span.Contains(span);

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
