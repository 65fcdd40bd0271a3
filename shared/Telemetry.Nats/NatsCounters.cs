namespace Telemetry.Nats;

/// <summary>What happened on a connection since it was made. Only ever grows; any thread may read.</summary>
public sealed class NatsCounters
{
    private long _messagesReceived;
    private long _bytesReceived;
    private long _bytesSent;
    private long _publishes;
    private long _dropped;
    private long _discarded;
    private long _reconnects;
    private long _connectFailures;
    private long _complaints;
    private long _timeouts;
    private long _handlerFailures;

    /// <summary>Messages received, answers and JetStream deliveries included.</summary>
    public long MessagesReceived => Volatile.Read(ref _messagesReceived);

    /// <summary>Bytes read from servers.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Bytes written to servers.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <summary>Messages taken for sending, requests and JetStream publishes included.</summary>
    public long Publishes => Volatile.Read(ref _publishes);

    /// <summary>Messages dropped because a core subscription's buffer was full.</summary>
    public long SubscriptionDrops => Volatile.Read(ref _dropped);

    /// <summary>Messages that stood in the write buffer when a link broke; the server may have some of them.</summary>
    public long PublishesDiscarded => Volatile.Read(ref _discarded);

    /// <summary>Links established after the first.</summary>
    public long Reconnects => Volatile.Read(ref _reconnects);

    /// <summary>Attempts to connect that failed.</summary>
    public long ConnectFailures => Volatile.Read(ref _connectFailures);

    /// <summary><c>-ERR</c>s that did not end the connection, e.g. a subject without rights.</summary>
    public long ServerComplaints => Volatile.Read(ref _complaints);

    /// <summary>Requests and JetStream publishes that ran out of time.</summary>
    public long RequestTimeouts => Volatile.Read(ref _timeouts);

    /// <summary>Handlers of <see cref="NatsConnection.ConnectionChanged"/> that threw.</summary>
    public long HandlerFailures => Volatile.Read(ref _handlerFailures);

    internal void CountReceived(long messages, long bytes)
    {
        Interlocked.Add(ref _messagesReceived, messages);
        Interlocked.Add(ref _bytesReceived, bytes);
    }

    internal void CountSent(long bytes) => Interlocked.Add(ref _bytesSent, bytes);

    internal void CountPublish() => Interlocked.Increment(ref _publishes);

    internal void CountDropped() => Interlocked.Increment(ref _dropped);

    internal void SetDiscarded(long count) => Volatile.Write(ref _discarded, count);

    internal void CountReconnect() => Interlocked.Increment(ref _reconnects);

    internal void CountConnectFailure() => Interlocked.Increment(ref _connectFailures);

    internal void CountComplaint() => Interlocked.Increment(ref _complaints);

    internal void CountHandlerFailure() => Interlocked.Increment(ref _handlerFailures);

    internal void CountTimeouts(int count) => Interlocked.Add(ref _timeouts, count);
}
