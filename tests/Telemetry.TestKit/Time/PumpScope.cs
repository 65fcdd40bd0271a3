using System.Runtime.ExceptionServices;

namespace Telemetry.TestKit.Time;

/// <summary>
/// What lives and dies together on a pump: the program itself, or one simulated process. When a scope is dead, what
/// waits for it is forgotten, as if the process had been killed between two steps.
/// </summary>
internal sealed class PumpScope
{
    private readonly Pump _pump;
    private readonly PumpScheduler _scheduler;
    private readonly List<(Task? Step, SendOrPostCallback? Callback, object? State)> _waiting = [];

    public PumpScope(Pump pump)
    {
        _pump = pump;
        _scheduler = new PumpScheduler(this);
    }

    /// <summary>Makes tasks that know no other scheduler, of ContinueWith and StartNew, run on the pump too.</summary>
    public TaskScheduler Scheduler => _scheduler;

    public bool IsAlive { get; set; } = true;

    /// <summary>True while no step of it is taken: those that were due wait.</summary>
    public bool IsFrozen { get; private set; }

    public void Freeze() => IsFrozen = true;

    /// <summary>What waited is ready, in the order in which it was due.</summary>
    public void Thaw()
    {
        IsFrozen = false;
        foreach (var (step, callback, state) in _waiting)
        {
            if (step is not null)
            {
                _pump.Enqueue(new PumpStep(this, step));
            }
            else
            {
                Post(callback!, state);
            }
        }

        _waiting.Clear();
    }

    /// <summary>Runs it as a step of its own.</summary>
    public void Post(SendOrPostCallback callback, object? state)
    {
        if (_pump.IsOwnThread(state))
        {
            TaskOf(callback, state).Start(_scheduler);
        }
    }

    /// <summary>Runs it now, within the present step. Only the pump's own thread may.</summary>
    public void RunNow(SendOrPostCallback callback, object? state)
    {
        _pump.RequireOwnThread();
        if (IsFrozen)
        {
            _waiting.Add((null, callback, state));
            return;
        }

        RunInside(TaskOf(callback, state), static (scope, task) => task.RunSynchronously(scope._scheduler));
    }

    /// <summary>Runs a step that was ready.</summary>
    public void Run(Task step)
    {
        if (IsFrozen)
        {
            _waiting.Add((step, null, null));
            return;
        }

        RunInside(step, static (scope, task) => scope._scheduler.Execute(task));
    }

    private void RunInside(Task task, Action<PumpScope, Task> run)
    {
        if (!IsAlive)
        {
            return;
        }

        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new PumpContext(this));
        try
        {
            run(this, task);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    // Nobody awaits these tasks: an error in one (of an "async void", say) fails the run.
    private Task TaskOf(SendOrPostCallback callback, object? state) => new(
        () =>
        {
            try
            {
                callback(state);
            }
            catch (Exception e)
            {
                _pump.Error ??= ExceptionDispatchInfo.Capture(e);
            }
        },
        TaskCreationOptions.DenyChildAttach);

    private sealed class PumpScheduler(PumpScope scope) : TaskScheduler
    {
        public void Execute(Task task) => TryExecuteTask(task);

        protected override void QueueTask(Task task) => scope._pump.Enqueue(new PumpStep(scope, task));

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
        {
            scope._pump.RequireOwnThread();
            return !taskWasPreviouslyQueued && TryExecuteTask(task);
        }

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
