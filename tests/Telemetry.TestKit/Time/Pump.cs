using System.Runtime.ExceptionServices;

namespace Telemetry.TestKit.Time;

/// <summary>
/// Runs ordinary async code on one thread and a simulated clock: whatever is ready runs, and when nothing is, the
/// clock moves to the next timer. So a day of timeouts passes in a moment, and the same program with the same seed
/// takes the same steps.
/// <para>
/// That holds for code that takes its time from <see cref="Clock"/>, its chance from a seed, does no real I/O and
/// stays on the pump: no Task.Run, no ConfigureAwait(false), no CancelAsync, no SemaphoreSlim.WaitAsync with a
/// token or timeout, no WhenAny over a delay that gets cancelled (the framework finishes those on the pool), no
/// WhenAny or WaitAsync over a source that runs continuations asynchronously, channels with
/// AllowSynchronousContinuations.
/// What leaves the pump and comes back is noticed and fails the run. What the pump cannot notice: orders that hang
/// on string hash codes (they differ from process to process), finalizers and statics shared with other tests.
/// </para>
/// </summary>
public sealed class Pump
{
    // Each run has a fresh thread with a deep stack: the runtime stops running continuations in place when the
    // stack gets short, which would depend on who called.
    private const int StackBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan StrayWorkWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StrayWorkAfterPool = TimeSpan.FromMilliseconds(100);

    private readonly PumpOptions _options;
    private readonly ReadySteps _ready;
    private readonly PumpScope _scope;
    private Thread? _thread;
    private string? _strayWork;

    public Pump(PumpOptions? options = null)
    {
        _options = options ?? new PumpOptions();
        _ready = new ReadySteps(_options.Order);
        _scope = new PumpScope(this);
        Clock = new SimulatedClock(_options.UtcNow) { Arming = NoteWhoArms };
    }

    public SimulatedClock Clock { get; }

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>What was thrown where nobody awaits it.</summary>
    internal ExceptionDispatchInfo? Error { get; set; }

    /// <summary>Runs the program to its end. What it left running goes on in the next run of the same pump.</summary>
    /// <exception cref="PumpException">It cannot come to an end, or does not replay.</exception>
    public void Run(Func<Task> program) => Run(async () =>
    {
        await program();
        return true;
    });

    /// <inheritdoc cref="Run(Func{Task})"/>
    public T Run<T>(Func<Task<T>> program)
    {
        T? result = default;
        ExceptionDispatchInfo? error = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = Drive(program);
                }
                catch (Exception e)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                }
            },
            StackBytes)
        { IsBackground = true, Name = "pump" };
        if (Interlocked.CompareExchange(ref _thread, thread, null) is not null)
        {
            throw new InvalidOperationException("The pump runs already.");
        }

        thread.Start();
        thread.Join();
        _thread = null;
        error?.Throw();
        return result!;
    }

    internal void Enqueue(PumpStep step)
    {
        if (IsOwnThread())
        {
            _ready.Add(step);
        }
    }

    internal void RequireOwnThread()
    {
        if (!IsOwnThread())
        {
            throw new PumpException(PumpFailure.ForeignThread, _strayWork!);
        }
    }

    /// <summary>A scope whose work can be forgotten.</summary>
    internal PumpScope NewScope() => new(this);

    private T Drive<T>(Func<Task<T>> program)
    {
        Task<T>? running = null;
        SynchronizationContext.SetSynchronizationContext(new PumpContext(_scope));
        _scope.Post(_ => running = program(), null);
        while (running is not { IsCompleted: true })
        {
            ThrowIfFailed();
            if (++Steps > _options.StepsMax)
            {
                throw new PumpException(
                    PumpFailure.StepLimit, $"Not done after {_options.StepsMax} steps, at {Clock.Elapsed}.");
            }

            if (_ready.TryTake(out var step))
            {
                step.Run();
            }
            else if (!Clock.FireNext(_options.SimulatedTimeMax))
            {
                throw Stuck();
            }
        }

        ThrowIfFailed();
        return running.GetAwaiter().GetResult();
    }

    private void ThrowIfFailed()
    {
        if (Error is { } error)
        {
            Error = null;
            error.Throw();
        }

        if (Volatile.Read(ref _strayWork) is { } strayWork)
        {
            throw new PumpException(PumpFailure.ForeignThread, strayWork);
        }
    }

    private PumpException Stuck()
    {
        WaitForStrayWork();
        if (_strayWork is not null)
        {
            return new PumpException(PumpFailure.ForeignThread, _strayWork);
        }

        return Clock.NextDue is { } due
            ? new PumpException(
                PumpFailure.TimeLimit, $"The next timer is due at {due}; the limit is {_options.SimulatedTimeMax}.")
            : new PumpException(
                PumpFailure.Deadlock,
                $"At {Clock.Elapsed} after {Steps} steps the program waits for something that no timer and no "
                + "ready step will bring.");
    }

    // Only here real time counts: work that left for the pool explains a standstill better than "deadlock" does.
    // The pool may be slow to begin, so a piece of work of our own shows when it has come that far.
    private void WaitForStrayWork()
    {
        var begun = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(static begun => begun.SetResult(), begun, preferLocal: false);
        SpinWait.SpinUntil(() => begun.Task.IsCompleted || Volatile.Read(ref _strayWork) is not null, StrayWorkWithin);
        SpinWait.SpinUntil(() => Volatile.Read(ref _strayWork) is not null, StrayWorkAfterPool);
    }

    // Timers may be made before a run, not beside it.
    private void NoteWhoArms()
    {
        if (Volatile.Read(ref _thread) is not null)
        {
            IsOwnThread();
        }
    }

    // The other thread must not get an exception: on the pool it would end the process.
    internal bool IsOwnThread(object? resumed = null)
    {
        if (Thread.CurrentThread == Volatile.Read(ref _thread))
        {
            return true;
        }

        Interlocked.CompareExchange(
            ref _strayWork,
            "Work reached the pump from another thread (Task.Run, ConfigureAwait(false), real I/O, …)"
            + $", resuming {(resumed as Delegate)?.Target ?? resumed}:\n{Environment.StackTrace}",
            null);
        return false;
    }
}
