namespace Telemetry.Edge.Outbox.Frames;

/// <summary>The facts about an unsealed segment that are kept in memory.</summary>
internal readonly record struct SegmentFacts(long Id, int Count, int Series, long TimeFirst, long TimeLast, int Bytes)
{
    public static SegmentFacts Of(SegmentRow row) =>
        new(row.Id, row.Count, row.Series, row.TimeFirst, row.TimeLast, row.Bytes);
}

/// <summary>
/// The durable unsealed segments, oldest first; they are removed in the order in which they were added.
/// </summary>
internal sealed class SegmentQueue
{
    private readonly Queue<SegmentFacts> _segments = new();
    private long _timeMin = long.MaxValue;

    public int Count => _segments.Count;

    /// <summary>The number of their readings.</summary>
    public long Readings { get; private set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>The id of the next segment.</summary>
    public long NextId { get; private set; } = 1;

    public IEnumerable<SegmentFacts> Oldest => _segments;

    /// <summary>
    /// The least event time without the oldest <paramref name="without"/> segments; long.MaxValue when none is left.
    /// </summary>
    public long TimeMin(int without = 0)
    {
        if (without == 0)
        {
            return _timeMin;
        }

        var min = long.MaxValue;
        foreach (var segment in _segments)
        {
            if (without-- <= 0)
            {
                min = Math.Min(min, segment.TimeFirst);
            }
        }

        return min;
    }

    public void Add(SegmentFacts segment)
    {
        _segments.Enqueue(segment);
        Readings += segment.Count;
        Bytes += segment.Bytes;
        NextId = segment.Id + 1;
        _timeMin = Math.Min(_timeMin, segment.TimeFirst);
    }

    public void RemoveOldest(int count)
    {
        if (count > 0)
        {
            _timeMin = TimeMin(count);
        }

        for (; count > 0; count--)
        {
            var segment = _segments.Dequeue();
            Readings -= segment.Count;
            Bytes -= segment.Bytes;
        }
    }
}
