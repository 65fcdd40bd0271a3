namespace Telemetry.TestKit.Time;

/// <summary>
/// The life of a simulated process: what is started with <see cref="Run{T}"/> stops for good at the await where
/// it stands when the life is killed. No catch, finally or Dispose of it runs any more, its timers never fire; as
/// with a real crash, only what it had handed to simulated disks and networks remains. Used on the pump's thread.
/// </summary>
public sealed class ProcessLife
{
    private readonly PumpScope _scope;
    private readonly TaskCompletionSource _died = new();

    /// <summary>
    /// Begins a life. <paramref name="clockOffset"/> says at each look how far its wall clock is ahead of the pump's.
    /// </summary>
    public ProcessLife(Pump pump, Func<TimeSpan>? clockOffset = null)
    {
        _scope = pump.NewScope();
        Time = new LifeTime(pump.Clock, _scope, clockOffset ?? (() => TimeSpan.Zero));
    }

    /// <summary>The pump's clock; timers made with it, by whomever, die with this life.</summary>
    public TimeProvider Time { get; }

    public bool IsAlive => _scope.IsAlive;

    /// <summary>True between <see cref="Freeze"/> and <see cref="Thaw"/>.</summary>
    public bool IsFrozen => _scope.IsFrozen;

    /// <summary>Ends when the life is killed; for those who outlive it.</summary>
    public Task Died => _died.Task;

    /// <summary>Runs a program in this life. The task never ends if the life is killed first.</summary>
    public Task<T> Run<T>(Func<Task<T>> program) => Task.Factory
        .StartNew(program, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scope.Scheduler)
        .Unwrap();

    /// <inheritdoc cref="Run{T}"/>
    public Task Run(Func<Task> program) => Task.Factory
        .StartNew(program, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scope.Scheduler)
        .Unwrap();

    /// <summary>Nothing of this life takes another step. The step that calls it runs on to its next await.</summary>
    public void Kill()
    {
        _scope.IsAlive = false;
        _died.TrySetResult();
    }

    /// <summary>
    /// The process stands still, as a stopped or suspended one does: it takes no step until <see cref="Thaw"/>, while
    /// time goes on for everybody. What comes for it waits. The step that calls it runs on to its next await.
    /// </summary>
    public void Freeze() => _scope.Freeze();

    /// <summary>It goes on where it stood; timers that fell due meanwhile fire now.</summary>
    public void Thaw() => _scope.Thaw();

    /// <summary>
    /// The same task for code that awaits it outside of this life, except that it never ends after a kill.
    /// </summary>
    public async Task<T> Guard<T>(Task<T> task)
    {
        try
        {
            return await task;
        }
        finally
        {
            await Step();
        }
    }

    /// <summary>Lets others take a step, a killer among them: an await at which this life can end.</summary>
    public async Task Step()
    {
        await Task.Yield();
        if (!IsAlive)
        {
            await new TaskCompletionSource().Task;
        }
    }

    private sealed class LifeTime(SimulatedClock clock, PumpScope scope, Func<TimeSpan> clockOffset) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => clock.LocalTimeZone;

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + clockOffset();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var outer = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(new PumpContext(scope));
            try
            {
                return clock.CreateTimer(callback, state, dueTime, period);
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(outer);
            }
        }
    }
}
