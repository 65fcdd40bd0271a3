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
    private readonly Dictionary<WindowKey, OpenPart> _open = [];
    private readonly Dictionary<WindowKey, WindowPart> _added = [];
    private readonly Dictionary<WindowKey, int> _written = [];
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
    public int Count => _open.Count;

    /// <summary>True when nothing of it is in memory alone.</summary>
    public bool IsEmpty => _open.Count == 0 && Span.IsEmpty;

    /// <summary>True when parts must be written although no frame of the gateway came.</summary>
    public bool IsDue(long nowMicros) => !MustRebuild && _open.Count > 0 && (WriteAll || nowMicros >= _due);

    /// <summary>True when the current transaction changes something here.</summary>
    public bool IsTouched => _added.Count > 0 || Rebuilding;

    /// <summary>The part that the current transaction adds to a window; begun if there is none.</summary>
    public WindowPart Added(SeriesEntry series, WindowSpan span, PartPool pool)
    {
        var key = new WindowKey(series.Identity, span.Start);
        if (!_added.TryGetValue(key, out var part))
        {
            _added[key] = part = pool.Take().Begin(series, span);
        }

        return part;
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
            foreach (var (key, open) in _open)
            {
                if (WriteAll || nowMicros >= open.DueMicros || watermark >= open.Part.End)
                {
                    _written[key] = parts.Count;
                    parts.Add(open.Part);
                }
                else
                {
                    _next = _next.And(open.Part.Start, open.Part.End);
                }
            }
        }
        else if (_open.Count > 0)
        {
            _next = Span;
        }

        foreach (var (key, part) in _added)
        {
            if (_written.TryGetValue(key, out var row))
            {
                // One row for both; the part in memory must not change before the commit.
                var whole = pool.Take().Begin(_open[key].Part);
                whole.Merge(part);
                copies.Add(whole);
                parts[row] = whole;
            }
            else if (WriteAll || watermark >= part.End)
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
        foreach (var (key, part) in _added)
        {
            if (whole && (_written.ContainsKey(key) || WriteAll || watermark >= part.End))
            {
                pool.Return(part);
            }
            else if (_open.TryGetValue(key, out var open))
            {
                open.Part.Merge(part);
                pool.Return(part);
            }
            else
            {
                Open(key, part, nowMicros, memoryMicros);
            }
        }

        foreach (var key in _written.Keys)
        {
            _open.Remove(key, out var open);
            pool.Return(open!.Part);
        }

        if (_written.Count > 0)
        {
            (_due, _firstEnd) = (long.MaxValue, long.MaxValue);
            foreach (var open in _open.Values)
            {
                (_due, _firstEnd) = (Math.Min(_due, open.DueMicros), Math.Min(_firstEnd, open.Part.End));
            }
        }

        Span = _next;
        MustRebuild = !whole;
        WriteAll &= !whole;
        (Rebuilding, _readTo) = (false, ReadTo);
        _added.Clear();
        _written.Clear();
    }

    /// <summary>The transaction did not commit.</summary>
    public void RolledBack(PartPool pool)
    {
        foreach (var part in _added.Values)
        {
            pool.Return(part);
        }

        _added.Clear();
        _written.Clear();
        (Rebuilding, ReadTo) = (false, _readTo);
    }

    private void Open(WindowKey key, WindowPart part, long nowMicros, long memoryMicros)
    {
        var due = Math.Max(nowMicros, part.End) + memoryMicros;
        _open[key] = new OpenPart(part, due);
        (_due, _firstEnd) = (Math.Min(_due, due), Math.Min(_firstEnd, part.End));
    }

    /// <summary>A part in memory, and when it is written at the latest.</summary>
    private sealed record OpenPart(WindowPart Part, long DueMicros);
}
