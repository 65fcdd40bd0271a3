namespace Telemetry.Diagnostics.Tracing;

/// <summary>The collector does not take spans any more, or does again.</summary>
/// <param name="IsReached">True when it takes them again.</param>
/// <param name="Spans">How many it did not take, so far or in all.</param>
/// <param name="Seconds">For how long it took none.</param>
public readonly record struct CollectorChange(bool IsReached, long Spans, double Seconds);

/// <summary>
/// Tells changes of the collector's state, one call a change. It is said to take spans again only after no batch has
/// failed for <see cref="Steady"/>, so that one that works and fails in turns cannot fill a log. Called by the
/// exporting thread alone.
/// </summary>
internal sealed class CollectorReach(Action<CollectorChange> changed, TimeProvider time)
{
    /// <summary>How long no batch must have failed.</summary>
    public static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    private bool _isReached = true;
    private long _began;
    private long _failed;
    private long _spans;

    /// <summary>A batch was taken, or not.</summary>
    public void Sent(long spans, bool taken)
    {
        var now = time.GetTimestamp();
        if (!taken)
        {
            (_failed, _spans) = (now, (_isReached ? 0 : _spans) + spans);
            if (_isReached)
            {
                (_isReached, _began) = (false, now);
                changed(new CollectorChange(false, _spans, 0));
            }
        }
        else if (!_isReached && time.GetElapsedTime(_failed, now) >= Steady)
        {
            _isReached = true;
            changed(new CollectorChange(true, _spans, time.GetElapsedTime(_began, now).TotalSeconds));
        }
    }
}
