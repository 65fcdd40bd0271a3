namespace Telemetry.Runtime;

/// <summary>
/// Wakes one waiter, at once if it was set before. Made for a loop on a single-threaded synchronization context: that
/// one thread sets it and waits for it.
/// </summary>
public sealed class Signal
{
    private TaskCompletionSource _source = new();

    /// <summary>Wakes the waiter.</summary>
    public void Set() => _source.TrySetResult();

    /// <summary>Waits until it is set or the time is over, and resets it.</summary>
    public async Task WaitAsync(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!_source.Task.IsCompleted && time > TimeSpan.Zero)
        {
            // A delay that is cancelled hands on to the pool whoever waits for it together with something else.
            await using var cancelled = cancellationToken.UnsafeRegister(
                static signal => ((Signal)signal!).Set(), this);
            using var over = new CancellationTokenSource();
            await Task.WhenAny(_source.Task, Task.Delay(time, clock, over.Token));
            over.Cancel(); // CancelAsync would leave this thread.
        }

        else
        {
            await Task.Yield(); // A loop that always finds it set must let others of its thread go on.
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (_source.Task.IsCompleted)
        {
            _source = new TaskCompletionSource();
        }
    }
}
