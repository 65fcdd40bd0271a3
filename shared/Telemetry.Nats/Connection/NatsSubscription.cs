using System.Threading.Channels;

namespace Telemetry.Nats;

/// <summary>Called by the receive loop for each message; must be quick, must not block or throw.</summary>
/// <param name="message">Owns its bytes and may be kept.</param>
public delegate void NatsMessageHandler(NatsMessage message);

/// <summary>
/// A core subscription: at most once. Messages wait in a bounded buffer; when it is full the newest is
/// dropped and counted (<see cref="Dropped"/>), the connection and other subscriptions are not held up.
/// It goes on over reconnects (what was published in between is lost) and ends when it or its connection
/// is disposed. Any thread may read; several readers share the messages.
/// </summary>
public sealed class NatsSubscription : IAsyncEnumerable<NatsMessage>, IAsyncDisposable
{
    private readonly NatsConnection _connection;
    private readonly NatsSink _sink;
    private readonly Channel<NatsMessage>? _channel;
    private long _dropped;

    internal NatsSubscription(NatsConnection connection, string subject, string? queueGroup, int capacity)
    {
        _connection = connection;
        _channel = NatsChannels.Bounded<NatsMessage>(capacity, connection.Options.AllowSynchronousContinuations);
        _sink = new Sink(this, subject, queueGroup, Enqueue);
    }

    internal NatsSubscription(NatsConnection connection, string subject, string? queueGroup, NatsMessageHandler handler)
    {
        _connection = connection;
        _sink = new Sink(this, subject, queueGroup, handler);
    }

    /// <summary>The subject subscribed to, wildcards included.</summary>
    public string Subject => _sink.Subject;

    /// <summary>Messages dropped because the buffer was full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Messages in order of arrival; completes when the subscription ends.</summary>
    /// <exception cref="InvalidOperationException">The subscription was made with a handler.</exception>
    public ChannelReader<NatsMessage> Reader =>
        _channel?.Reader ?? throw new InvalidOperationException("This subscription hands its messages to a handler");

    internal NatsSink Target => _sink;

    /// <inheritdoc/>
    public IAsyncEnumerator<NatsMessage> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Reader.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <summary>Unsubscribes; what was received already can still be read.</summary>
    public ValueTask DisposeAsync()
    {
        _connection.RemoveSink(_sink);
        _channel?.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Enqueue(NatsMessage message)
    {
        if (!_channel!.Writer.TryWrite(message))
        {
            Interlocked.Increment(ref _dropped);
            _connection.Counters.CountDropped();
        }
    }

    private sealed class Sink(NatsSubscription owner, string subject, string? queueGroup, NatsMessageHandler handler)
        : NatsSink(subject, queueGroup)
    {
        private readonly NatsSubjectCache _subjects = new();

        public override bool SurvivesReconnect => true;

        public override void Deliver(in NatsFrame frame) =>
            handler(NatsMessage.Copy(frame, _subjects.Get(frame.Subject)));

        public override void End(NatsException reason) => owner._channel?.Writer.TryComplete();
    }
}
