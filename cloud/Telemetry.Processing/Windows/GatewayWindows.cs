using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Windows;

/// <summary>
/// The parts of one gateway's windows that are in memory alone: their readings are in the database, the parts are not.
/// A transaction adds to copies, which become part of the memory when it has committed. So a transaction that fails
/// changes nothing here, and the memory stays valid as long as its partition's row is as its owner remembers it.
/// </summary>
internal sealed class GatewayWindows(GatewayId gateway, OpenSpan span)
{
    /// <summary>So many objects at least wait to be used again, beside as many as there are windows.</summary>
    private const int SpareMin = 16;

    private readonly Dictionary<WindowKey, OpenWindow> _open = [];
    private readonly List<OpenWindow> _touched = [], _written = [];
    private readonly Stack<OpenWindow> _spare = [];
    private OpenWindow?[] _latest = [];
    private WindowWidths _widths = WindowWidths.None;
    private long _due = long.MaxValue, _firstEnd = long.MaxValue, _readTo = span.From;
    private OpenSpan _next;

    public GatewayId Gateway { get; } = gateway;

    /// <summary>The event times of the open windows, as the gateway's row in the database has them.</summary>
    public OpenSpan Span { get; private set; } = span;

    /// <summary>
    /// True when the parts of these windows were in the memory of an owner that is gone: they must be folded anew from
    /// the readings before the watermark may move.
    /// </summary>
    public bool MustRebuild { get; private set; } = !span.IsEmpty;

    /// <summary>True while the current transaction rebuilds it, or a slice of it.</summary>
    public bool Rebuilding { get; private set; }

    /// <summary>
    /// For windows that must be rebuilt: the readings before this event time are in memory again, also those that the
    /// current transaction stores.
    /// </summary>
    public long ReadTo { get; private set; } = span.From;

    /// <summary>False while readings of the open windows are not in memory, as of the current transaction.</summary>
    public bool IsWhole => !MustRebuild || (Rebuilding && ReadTo >= Span.To);

    /// <summary>Writes all parts with the next commit.</summary>
    public bool WriteAll { get; set; }

    /// <summary>The number of parts in memory.</summary>
    public int Count { get; private set; }

    /// <summary>True when nothing of it is in memory alone.</summary>
    public bool IsEmpty => Count == 0 && Span.IsEmpty;

    /// <summary>True when parts must be written although no frame of the gateway came.</summary>
    public bool IsDue(long nowMicros) => !MustRebuild && Count > 0 && (WriteAll || nowMicros >= _due);

    /// <summary>True when the current transaction changes something here.</summary>
    public bool IsTouched => _touched.Count > 0 || Rebuilding;

    /// <summary>A frame begins, with the widths known now: <see cref="Latest"/> finds no window of others.</summary>
    public void Begin(WindowWidths widths)
    {
        if (!ReferenceEquals(_widths, widths))
        {
            Array.Clear(_latest);
            _widths = widths;
        }
    }

    /// <summary>
    /// The window that a reading of the series with this index was last added to, if it gathers and contains the time.
    /// </summary>
    public OpenWindow? Latest(int index, SeriesEntry series, long time) =>
        (uint)index < (uint)_latest.Length && _latest[index] is { } window && window.Contains(series, time)
            ? window
            : null;

    /// <summary>
    /// The part that the current transaction adds to a window; begun if there is none. <paramref name="index"/> is the
    /// place of the series in the gateway's list, if it is known.
    /// </summary>
    public WindowPart Added(SeriesEntry series, WindowSpan span, PartPool pool, int index = -1)
    {
        var key = new WindowKey(series.Identity, span.Start);
        if (!_open.TryGetValue(key, out var window))
        {
            _open[key] = window = (_spare.TryPop(out var spare) ? spare : new OpenWindow()).Begin(key, span, index);
        }

        if (window.Index >= 0)
        {
            if (window.Index >= _latest.Length)
            {
                Array.Resize(ref _latest, Math.Max(window.Index + 1, _latest.Length * 2));
            }

            _latest[window.Index] = window;
        }

        return Added(window, series, pool);
    }

    /// <summary>The part that the current transaction adds to a window that gathers; begun if there is none.</summary>
    public WindowPart Added(OpenWindow window, SeriesEntry series, PartPool pool)
    {
        if (window.Added is { } part)
        {
            return part;
        }

        _touched.Add(window);
        return window.Added = pool.Take().Begin(series, window.Span);
    }

    /// <summary>
    /// The current transaction adds the readings of the open windows anew, from <see cref="ReadTo"/> to this event
    /// time. With the last of them it removes the parts that are written.
    /// </summary>
    public void Rebuild(long readTo) => (Rebuilding, ReadTo) = (true, readTo);

    /// <summary>
    /// Adds to <paramref name="parts"/> what the current transaction writes: the parts of windows that the watermark
    /// has passed, those in memory for too long, or all. Returns the span of those that remain.
    /// </summary>
    public OpenSpan Write(
        long watermark, long nowMicros, List<WindowPart> parts, List<WindowPart> copies, PartPool pool)
    {
        if (!IsWhole)
        {
            return _next = Span;
        }

        _next = OpenSpan.None;
        if (WriteAll || nowMicros >= _due || watermark >= _firstEnd)
        {
            foreach (var window in _open.Values)
            {
                if (window.Gathered is not { } part)
                {
                    continue;
                }

                if (WriteAll || nowMicros >= window.DueMicros || watermark >= part.End)
                {
                    window.IsWritten = true;
                    _written.Add(window);
                    parts.Add(window.Added is { } added ? Whole(part, added, copies, pool) : part);
                }
                else
                {
                    _next = _next.And(part.Start, part.End);
                }
            }
        }
        else if (Count > 0)
        {
            _next = Span;
        }

        foreach (var window in _touched)
        {
            if (window.IsWritten)
            {
                continue;
            }

            var part = window.Added!;
            if (WriteAll || watermark >= part.End)
            {
                parts.Add(part);
            }
            else
            {
                _next = _next.And(part.Start, part.End);
            }
        }

        return _next;
    }

    /// <summary>The transaction committed.</summary>
    public void Committed(long watermark, long nowMicros, long memoryMicros, PartPool pool)
    {
        var whole = IsWhole;
        foreach (var window in _touched)
        {
            var part = window.Added!;
            window.Added = null;
            if (window.IsWritten || (whole && (WriteAll || watermark >= part.End)))
            {
                pool.Return(part);
                Forget(window);
            }
            else if (window.Gathered is { } gathered)
            {
                gathered.Merge(part);
                pool.Return(part);
            }
            else
            {
                Gather(window, part, nowMicros, memoryMicros);
            }
        }

        foreach (var window in _written)
        {
            pool.Return(window.Gathered!);
            (window.Gathered, window.IsWritten) = (null, false);
            Count--;
            Forget(window);
        }

        if (_written.Count > 0)
        {
            (_due, _firstEnd) = (long.MaxValue, long.MaxValue);
            foreach (var open in _open.Values)
            {
                (_due, _firstEnd) = (Math.Min(_due, open.DueMicros), Math.Min(_firstEnd, open.Span.End));
            }
        }

        Span = _next;
        MustRebuild = !whole;
        WriteAll &= !whole;
        (Rebuilding, _readTo) = (false, ReadTo);
        _touched.Clear();
        _written.Clear();
    }

    /// <summary>The transaction did not commit.</summary>
    public void RolledBack(PartPool pool)
    {
        foreach (var window in _touched)
        {
            pool.Return(window.Added!);
            window.Added = null;
            Forget(window);
        }

        foreach (var window in _written)
        {
            window.IsWritten = false;
        }

        _touched.Clear();
        _written.Clear();
        (Rebuilding, ReadTo) = (false, _readTo);
    }

    private void Gather(OpenWindow window, WindowPart part, long nowMicros, long memoryMicros)
    {
        (window.Gathered, window.DueMicros) = (part, Math.Max(nowMicros, part.End) + memoryMicros);
        Count++;
        (_due, _firstEnd) = (Math.Min(_due, window.DueMicros), Math.Min(_firstEnd, part.End));
    }

    // Removes a window that has no part any more.
    private void Forget(OpenWindow window)
    {
        if (window.Gathered is not null)
        {
            return;
        }

        _open.Remove(window.Key);
        if ((uint)window.Index < (uint)_latest.Length && ReferenceEquals(_latest[window.Index], window))
        {
            _latest[window.Index] = null;
        }

        if (_spare.Count < Math.Max(SpareMin, Count))
        {
            _spare.Push(window);
        }
    }

    // One row for both; the part in memory must not change before the commit.
    private static WindowPart Whole(WindowPart gathered, WindowPart added, List<WindowPart> copies, PartPool pool)
    {
        var whole = pool.Take().Begin(gathered);
        whole.Merge(added);
        copies.Add(whole);
        return whole;
    }
}
