namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// The publishes of one connection, first in, first out. Never more are unacknowledged than the server's Receive
/// Maximum allows, and each is begun after the previous one is written, so that a PINGREQ waits behind at most one of
/// them. A publish that its caller gave up keeps its place until its PUBACK, as it does on the server. Any thread may
/// use it.
/// </summary>
/// <param name="windowMax">The server's Receive Maximum.</param>
/// <param name="begin">Begins a publish; returns the task of its PUBACK, and one that completes when it is
/// written.</param>
internal sealed class PublishQueue(
    int windowMax, Func<string, ReadOnlyMemory<byte>, (Task<PublishOutcome> Acknowledged, Task Written)> begin)
{
    /// <summary>The most publishes that may wait to be begun; a further one fails at once.</summary>
    public const int WaitingMax = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Publish> _waiting = [];
    private readonly HashSet<Publish> _begun = [];
    private bool _isWriting;
    private (string Message, bool IsTransient)? _end;

    /// <summary>Publishes when its turn comes, and waits for the PUBACK.</summary>
    /// <exception cref="UplinkException">The connection has ended, or too many publishes wait.</exception>
    public Task<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var publish = new Publish(topic, payload);
        lock (_lock)
        {
            if (_end is { } end)
            {
                throw new UplinkException(end.Message, end.IsTransient);
            }

            if (_waiting.Count >= WaitingMax)
            {
                throw new UplinkException("too many publishes wait", isTransient: true);
            }

            _waiting.Enqueue(publish);
        }

        _ = WriteAsync();
        return cancellationToken.CanBeCanceled ? AwaitAsync(publish, cancellationToken) : publish.Outcome.Task;
    }

    /// <summary>Fails all publishes that wait for their turn or their PUBACK, and all later ones.</summary>
    public void End(string message, bool isTransient)
    {
        Publish[] all;
        lock (_lock)
        {
            _end ??= (message, isTransient);
            all = [.. _begun, .. _waiting];
            _begun.Clear();
            _waiting.Clear();
        }

        foreach (var publish in all)
        {
            publish.Outcome.TrySetException(new UplinkException(message, isTransient));
        }
    }

    private static async Task<PublishOutcome> AwaitAsync(Publish publish, CancellationToken cancellationToken)
    {
        try
        {
            return await publish.Outcome.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            publish.IsGivenUp = true;
            throw;
        }
    }

    // Begins the publishes that may be begun, one after another; returns at once if another call is doing that.
    private async Task WriteAsync()
    {
        while (TakeNext() is { } next)
        {
            var (acknowledged, written) = begin(next.Topic, next.Payload);
            _ = AcknowledgeAsync(next, acknowledged);
            if (!written.IsCompleted)
            {
                await Task.WhenAny(written, acknowledged);
            }

            lock (_lock)
            {
                _isWriting = false;
            }
        }
    }

    private Publish? TakeNext()
    {
        lock (_lock)
        {
            while (_waiting.TryPeek(out var first) && first.IsGivenUp)
            {
                _waiting.Dequeue();
            }

            if (_isWriting || _begun.Count >= windowMax || !_waiting.TryDequeue(out var next))
            {
                return null;
            }

            _isWriting = true;
            _begun.Add(next);
            return next;
        }
    }

    private async Task AcknowledgeAsync(Publish publish, Task<PublishOutcome> acknowledged)
    {
        try
        {
            publish.Outcome.TrySetResult(await acknowledged);
        }
        catch (Exception e)
        {
            publish.Outcome.TrySetException(e);
        }

        lock (_lock)
        {
            _begun.Remove(publish);
        }

        await WriteAsync();
    }

    private sealed class Publish(string topic, ReadOnlyMemory<byte> payload)
    {
        private volatile bool _isGivenUp;

        public string Topic => topic;

        public ReadOnlyMemory<byte> Payload => payload;

        public TaskCompletionSource<PublishOutcome> Outcome { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsGivenUp
        {
            get => _isGivenUp;
            set => _isGivenUp = value;
        }
    }
}
