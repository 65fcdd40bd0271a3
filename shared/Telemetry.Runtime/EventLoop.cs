using System.Runtime.ExceptionServices;

namespace Telemetry.Runtime;

/// <summary>
/// One thread with a SynchronizationContext of its own: what runs on it continues on it after every await, so that an
/// agent or a processor needs no locks, as in the simulation. One loop may carry many agents. What is posted runs in
/// the order of posting; posting never waits. After the disposal nothing runs any more, and a late post is ignored.
/// </summary>
public sealed class EventLoop : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Context _context;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);
    private List<(SendOrPostCallback Work, object? State)> _posted = [];
    private List<(SendOrPostCallback Work, object? State)> _running = [];
    private bool _stopped;

    /// <summary>Starts the thread.</summary>
    public EventLoop(string name)
    {
        _context = new Context(this);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>True on the loop's own thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>
    /// Runs programs side by side, each on a loop of its own, until all have ended. One that ends by itself ends the
    /// others; if it failed, its exception is thrown.
    /// </summary>
    public static async Task RunAllAsync(
        string name, IReadOnlyList<Func<CancellationToken, Task>> programs, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = programs.Select((program, i) => RunOneAsync($"{name} {i}", program, ending.Token)).ToArray();
        await Task.WhenAny(running);
        await ending.CancelAsync();
        await Task.WhenAll(running);
    }

    /// <summary>Runs work on the loop; the task completes, off the loop, when the work has.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _context.Post(
            async _ =>
            {
                try
                {
                    done.SetResult(await work());
                }
                catch (OperationCanceledException e)
                {
                    done.SetCanceled(e.CancellationToken);
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            },
            null);
        return done.Task;
    }

    /// <inheritdoc cref="RunAsync{T}(Func{Task{T}})"/>
    public Task RunAsync(Func<Task> work) => RunAsync(async () =>
    {
        await work();
        return true;
    });

    /// <summary>
    /// Ends the thread when what runs at this moment has ended; what was posted and not begun is forgotten.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _stopped = true;
            _posted.Clear();
        }

        _wake.Set();
        if (!IsCurrent)
        {
            _thread.Join();
            _wake.Dispose();
        }
    }

    private static async Task RunOneAsync(
        string name, Func<CancellationToken, Task> program, CancellationToken cancellationToken)
    {
        using var loop = new EventLoop(name);
        await loop.RunAsync(() => program(cancellationToken));
    }

    private void Post(SendOrPostCallback work, object? state)
    {
        lock (_lock)
        {
            if (_stopped)
            {
                return;
            }

            _posted.Add((work, state));
        }

        _wake.Set();
    }

    private void Run()
    {
        SynchronizationContext.SetSynchronizationContext(_context);
        while (Next())
        {
            foreach (var (work, state) in _running)
            {
                work(state);
            }

            _running.Clear();
        }
    }

    // False when the loop was stopped. Takes everything that was posted at once: one lock for many steps.
    private bool Next()
    {
        while (true)
        {
            _wake.Reset();
            lock (_lock)
            {
                if (_stopped)
                {
                    return false;
                }

                if (_posted.Count > 0)
                {
                    (_posted, _running) = (_running, _posted);
                    return true;
                }
            }

            _wake.Wait();
        }
    }

    private sealed class Context(EventLoop loop) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => loop.Post(d, state);

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (loop.IsCurrent)
            {
                d(state);
                return;
            }

            ExceptionDispatchInfo? error = null;
            using var done = new ManualResetEventSlim();
            loop.Post(
                _ =>
                {
                    try
                    {
                        d(state);
                    }
                    catch (Exception e)
                    {
                        error = ExceptionDispatchInfo.Capture(e);
                    }

                    done.Set();
                },
                null);
            done.Wait();
            error?.Throw();
        }

        public override SynchronizationContext CreateCopy() => this;
    }
}
