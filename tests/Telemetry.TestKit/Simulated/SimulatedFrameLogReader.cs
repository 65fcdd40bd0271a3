using Telemetry.Streams;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// Reads a stream in order, a fetched batch at a time. What was fetched is still read after the stream is gone: a
/// client does not know better. Used by one reader, on the pump's thread.
/// </summary>
internal sealed class SimulatedFrameLogReader(
    SimulatedFrameLogFiles log, SimulatedCalls calls, SimulatedStream stream, long from, Func<TimeSpan> latency)
    : IFrameLogReader
{
    private const int FetchedMax = 64;

    private readonly Queue<FrameLogMessage> _fetched = new();
    private readonly int _connection = log.Connections;
    private readonly long _lastAtBegin = stream.Last;
    private long _next = Math.Max(1, from);
    private bool _begun;
    private bool _disposed;

    /// <inheritdoc/>
    public string? End { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            if (_fetched.Count > 0)
            {
                return true;
            }

            if (End is not null)
            {
                return false;
            }

            var changed = stream.Changed;
            if (!SeesSomething())
            {
                await changed.WaitAsync(cancellationToken);
            }

            await Task.Delay(latency(), calls.Time, cancellationToken);
            Fetch();
        }
    }

    /// <inheritdoc/>
    public bool TryRead(out FrameLogMessage message) => _fetched.TryDequeue(out message!);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return ValueTask.CompletedTask;
    }

    private bool SeesSomething() =>
        stream.Gone || _connection != log.Connections || _next < stream.First || _next <= stream.Last || IsBehind();

    // Asked for from beyond the end, and then a message came that is before it.
    private bool IsBehind() => stream.Last > _lastAtBegin && _next > stream.Last + 1;

    private void Fetch()
    {
        if (stream.Gone || _connection != log.Connections)
        {
            End = stream.Gone ? "the stream was replaced" : "the connection was lost";
            return;
        }

        if (IsBehind())
        {
            End = $"the stream goes on at {stream.Last}, before {_next}";
            return;
        }

        if (_next < stream.First)
        {
            // The first message behind the place asked for is where it begins; later it is a jump.
            if (_begun)
            {
                End = $"sequences jump from {_next - 1} to {stream.First}";
                return;
            }

            _next = stream.First;
        }

        for (; _next <= stream.Last && _fetched.Count < FetchedMax; _next++)
        {
            if (stream.Read(_next) is { } message)
            {
                _fetched.Enqueue(message);
                _begun = true;
            }
        }
    }
}
