namespace Telemetry.Processing.Ledger;

/// <summary>
/// How long a gateway's frames are on their way, though nobody knows how far its clock is off: the log's clock at
/// receipt less the agent's at sending is the same offset each time, plus the way. The least of the last minutes is
/// taken for the offset, and what a frame has beyond it for its way. Memory only: the first frame has no way.
/// </summary>
internal sealed class ClockGap
{
    /// <summary>
    /// The least counts for so long at least, and for twice as long at most: then a clock that was set back is known.
    /// </summary>
    private const long SpanMicros = 5 * 60 * 1_000_000L;

    private long _since = long.MinValue;
    private long _least = long.MaxValue;
    private long _leastBefore = long.MaxValue;

    /// <summary>How long a message was on its way, in microseconds; never negative.</summary>
    public long Transit(long sentAtMicros, long receivedAtMicros)
    {
        if (_since == long.MinValue || receivedAtMicros - _since >= SpanMicros)
        {
            // After a silence too: the last offset is the best that is known.
            (_since, _leastBefore, _least) = (receivedAtMicros, _least, long.MaxValue);
        }

        var gap = receivedAtMicros - sentAtMicros;
        _least = Math.Min(_least, gap);
        return gap - Math.Min(_least, _leastBefore);
    }
}
