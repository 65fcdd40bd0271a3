namespace Telemetry.MqttSessions.Transport;

/// <summary>
/// Wakes one waiting loop; signals that come while nobody waits are kept as one. Any thread sets it, one waits. Made of
/// a task source alone, so that the waiter goes on in its own context (a semaphore's wait ends on the thread pool).
/// </summary>
internal sealed class WakeSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _waiter;
    private bool _isSet;

    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            (waiter, _waiter) = (_waiter, null);
            _isSet = waiter is null;
        }
        waiter?.SetResult();
    }

    public Task WaitAsync()
    {
        lock (_lock)
        {
            if (_isSet)
            {
                _isSet = false;
                return Task.CompletedTask;
            }
            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task;
        }
    }
}
