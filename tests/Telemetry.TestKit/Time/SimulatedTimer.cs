namespace Telemetry.TestKit.Time;

/// <summary>A timer of a <see cref="SimulatedClock"/>, which owns its due time, order and period.</summary>
internal sealed class SimulatedTimer(SimulatedClock clock, TimerCallback callback, object? state) : ITimer
{
    public static readonly IComparer<SimulatedTimer> ByDueTime =
        Comparer<SimulatedTimer>.Create((a, b) => (a.Due, a.Order).CompareTo((b.Due, b.Order)));

    private readonly ExecutionContext? _execution = ExecutionContext.Capture();
    private bool _disposed;

    public TimeSpan Due { get; set; }

    public long Order { get; set; }

    public TimeSpan? Period { get; set; }

    /// <summary>Who made it on a pump; null outside of one.</summary>
    public PumpScope? Scope { get; } = (SynchronizationContext.Current as PumpContext)?.Scope;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        if (_disposed)
        {
            return false;
        }

        // As with the system's timer, a period of zero means "once".
        clock.Rearm(this, NullIfInfinite(dueTime), period == TimeSpan.Zero ? null : NullIfInfinite(period));
        return true;
    }

    public void Fire()
    {
        if (Scope is null)
        {
            RunCallback();
        }
        else
        {
            Scope.RunNow(static timer => ((SimulatedTimer)timer!).RunCallback(), this);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        clock.Rearm(this, null, null);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void RunCallback()
    {
        if (_execution is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_execution, new ContextCallback(callback), state);
        }
    }

    private static TimeSpan? NullIfInfinite(TimeSpan time)
    {
        if (time == Timeout.InfiniteTimeSpan)
        {
            return null;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        return time;
    }
}
