namespace Telemetry.Processing.Ledger;

/// <summary>
/// Estimates how long a gateway's frames are in transit although the offset of the gateway's clock is unknown: the
/// log's clock at receipt minus the agent's clock at sending is a constant offset plus the time in transit. The minimum
/// of the last minutes is taken as the offset, and what a frame has beyond it as its time in transit. Kept in memory
/// only: the first frame has a transit time of zero.
/// </summary>
internal sealed class ClockGap
{
    /// <summary>
    /// A minimum is used for at least this long and at most twice as long; after that, a clock that was set back is
    /// noticed.
    /// </summary>
    private const long SpanMicros = 5 * 60 * 1_000_000L;

    private long _since = long.MinValue;
    private long _least = long.MaxValue;
    private long _leastBefore = long.MaxValue;

    /// <summary>How long a message was in transit, in microseconds; never negative.</summary>
    public long Transit(long sentAtMicros, long receivedAtMicros)
    {
        if (_since == long.MinValue || receivedAtMicros - _since >= SpanMicros)
        {
            // The same after a pause: the last offset is the best estimate there is.
            (_since, _leastBefore, _least) = (receivedAtMicros, _least, long.MaxValue);
        }

        var gap = receivedAtMicros - sentAtMicros;
        _least = Math.Min(_least, gap);
        return gap - Math.Min(_least, _leastBefore);
    }
}
