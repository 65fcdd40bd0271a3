using Telemetry.Streams;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// Reads a stream in order, one fetched batch at a time. Fetched messages can still be read after the stream is gone,
/// because a client does not know that. Used by one reader, on the pump's thread.
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
    public bool TryRead(out FrameLogMessage message)
    {
        if (_fetched.Count == 0 && log.ReadsAhead && !_disposed && End is null)
        {
            Fetch();
        }

        return _fetched.TryDequeue(out message!);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return ValueTask.CompletedTask;
    }

    private bool SeesSomething() =>
        stream.Gone || _connection != log.Connections || _next < stream.First || _next <= stream.Last || IsBehind();

    // The requested sequence was beyond the end, and then a message before it arrived.
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
            // The first message at or after the requested sequence is where it begins; later a gap is a jump.
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
