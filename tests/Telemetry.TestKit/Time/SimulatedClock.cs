namespace Telemetry.TestKit.Time;

/// <summary>
/// A clock that stands still until it is told to move. Its timers fire inside of <see cref="Advance"/> or
/// <see cref="FireNext"/>, on the caller's thread, in the order (due time, when they were armed); a timer made on a
/// <see cref="Pump"/> fires in the scope that made it.
/// </summary>
public sealed class SimulatedClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly SortedSet<SimulatedTimer> _armed = new(SimulatedTimer.ByDueTime);
    private DateTimeOffset _utcAtStart;
    private TimeSpan _elapsed;
    private long _armings;

    public SimulatedClock(DateTimeOffset? utcNow = null) =>
        _utcAtStart = utcNow ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Time since the clock was made; steps of the wall clock don't count.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            lock (_lock)
            {
                return _elapsed;
            }
        }
    }

    /// <summary>When the next timer is due, on the scale of <see cref="Elapsed"/>; null when none is armed.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (_lock)
            {
                // What a dead process left behind must neither fire nor move time.
                while (_armed.Min is { Scope.IsAlive: false } abandoned)
                {
                    _armed.Remove(abandoned);
                }

                return _armed.Min?.Due;
            }
        }
    }

    /// <summary>Called whenever a timer is armed or disarmed.</summary>
    internal Action? Arming { get; init; }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Elapsed.Ticks;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _utcAtStart + _elapsed;
        }
    }

    /// <summary>
    /// Sets the wall clock forth or back, as NTP or an operator does; timers and timestamps don't notice.
    /// </summary>
    public void StepWallClock(TimeSpan by)
    {
        lock (_lock)
        {
            _utcAtStart += by;
        }
    }

    /// <summary>Lets this much time pass and fires what falls due, at the time at which it is due.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var until = Elapsed + by;
        while (FireNext(until))
        {
        }

        lock (_lock)
        {
            _elapsed = until;
        }
    }

    /// <summary>Moves to the next timer and fires it; false when none is due by <paramref name="until"/>.</summary>
    public bool FireNext(TimeSpan until)
    {
        SimulatedTimer timer;
        lock (_lock)
        {
            if (NextDue is not { } due || due > until)
            {
                return false;
            }

            timer = _armed.Min!;
            _elapsed = due;
            _armed.Remove(timer);
            if (timer.Period is { } period)
            {
                Arm(timer, due + period);
            }
        }

        timer.Fire();
        return true;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulatedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal void Rearm(SimulatedTimer timer, TimeSpan? dueTime, TimeSpan? period)
    {
        Arming?.Invoke();
        lock (_lock)
        {
            _armed.Remove(timer);
            timer.Period = period;
            if (dueTime is { } after)
            {
                Arm(timer, _elapsed + after);
            }
        }
    }

    private void Arm(SimulatedTimer timer, TimeSpan due)
    {
        timer.Due = due;
        timer.Order = ++_armings;
        _armed.Add(timer);
    }
}
