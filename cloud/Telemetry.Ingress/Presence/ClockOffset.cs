namespace Telemetry.Ingress.Presence;

/// <summary>
/// Estimates the offset of an agent's clock from what it says of its clock in each message. A message that was under
/// way for long makes the agent look slow, so the greatest offset of the last minutes is the best estimate; it is at
/// least the least time under way too low.
/// </summary>
internal sealed class ClockOffset
{
    /// <summary>A greatest offset is used for at least this long and at most twice as long.</summary>
    private const long SpanMicros = 2 * 60 * 1_000_000L;

    private long _since = long.MinValue;
    private long _greatest = long.MinValue;
    private long _greatestBefore = long.MinValue;

    /// <summary>The offset in microseconds; null before the first message.</summary>
    public long? Micros => Math.Max(_greatest, _greatestBefore) is > long.MinValue and var offset ? offset : null;

    /// <summary>A message came.</summary>
    public void Note(long sentAtMicros, long nowMicros)
    {
        if (_since == long.MinValue || nowMicros - _since >= SpanMicros)
        {
            (_since, _greatestBefore, _greatest) = (nowMicros, _greatest, long.MinValue);
        }

        _greatest = Math.Max(_greatest, sentAtMicros - nowMicros);
    }
}
