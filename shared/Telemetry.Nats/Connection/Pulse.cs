using System.Threading.Tasks.Sources;

namespace Telemetry.Nats;

/// <summary>How continuations run: inline only in a simulation, where one thread drives everything.</summary>
internal static class Continuations
{
    public static TaskCreationOptions Options(bool allowSynchronous) =>
        allowSynchronous ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously;
}

/// <summary>
/// Wakes one waiter; a pulse while nobody waits is kept, several are one. Costs nothing per pulse. Any
/// thread sets it, one loop waits.
/// </summary>
internal sealed class Pulse : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _set;
    private bool _waiting;

    public Pulse(bool allowSynchronousContinuations)
    {
        _core = new() { RunContinuationsAsynchronously = !allowSynchronousContinuations };
    }

    public void Set()
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                _set = true;
                return;
            }

            _waiting = false;
        }

        _core.SetResult(true);
    }

    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_set)
            {
                _set = false;
                return ValueTask.CompletedTask;
            }

            if (_waiting)
            {
                throw new InvalidOperationException("A pulse has one waiter");
            }

            _core.Reset();
            _waiting = true;
            return new(this, _core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
