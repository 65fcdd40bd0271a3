namespace Telemetry.Nats;

/// <summary>
/// A client of one NATS cluster over one link at a time. When the link breaks, requests and JetStream publishes
/// under way and publishes that wait for room fail with a transient <see cref="NatsConnectionException"/>;
/// nothing is ever sent again by itself. Core subscriptions are made again on the next link. All members may be
/// called from any thread.
/// </summary>
public sealed class NatsConnection : IAsyncDisposable
{
    /// <summary>How late our timers may fire.</summary>
    internal static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(100);

    private readonly NatsSinkTable _sinks;
    private readonly NatsWriteBuffer _output;
    private readonly NatsReconnectLoop _loop;
    private readonly long _startedAt;
    private ITimer? _timer;
    private long _inboxes;

    private NatsConnection(NatsOptions options)
    {
        options.Validate();
        Options = options;
        _startedAt = options.TimeProvider.GetTimestamp();
        _sinks = new(options.SubscriptionsMax + 1);
        _output = new(options.WriteBufferBytes, options.AllowSynchronousContinuations);
        Requests = new($"_INBOX.{options.Random.NextInt64():x16}{options.Random.NextInt64():x16}.");
        _sinks.Add(Requests);
        var context = new NatsLinkContext(options, _output, _sinks, Counters, () => Now, Complain);
        _loop = new(context, Requests, Raise);
    }

    /// <summary>
    /// Raised by the reconnect loop, in order; handlers must be quick. One that throws is counted
    /// (<see cref="NatsCounters.HandlerFailures"/>).
    /// </summary>
    public event Action<NatsConnectionEvent>? ConnectionChanged;

    /// <summary>The options it was made with.</summary>
    public NatsOptions Options { get; }

    /// <summary>What happened since it was made.</summary>
    public NatsCounters Counters { get; } = new();

    /// <summary>Whether a server is ready now.</summary>
    public NatsConnectionState State => _loop.State;

    /// <summary>The number of the current or last link: 1 for the first, raised at each reconnect.</summary>
    public long ConnectionGeneration => _loop.Generation;

    /// <summary>What the current or last server says of itself.</summary>
    public NatsServerInfo ServerInfo => _loop.Info;

    internal NatsRequestTable Requests { get; }

    internal NatsWriteBuffer Output => _output;

    internal NatsTickers Tickers { get; } = new();

    internal TimeSpan Now => Options.TimeProvider.GetElapsedTime(_startedAt);

    /// <summary>
    /// Connects; see <see cref="NatsOptions.KeepTryingAtStart"/> for what happens if no server answers.
    /// </summary>
    /// <exception cref="NatsException">The last server's failure.</exception>
    public static async ValueTask<NatsConnection> ConnectAsync(NatsOptions options, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var connection = new NatsConnection(options);
        try
        {
            connection._timer = options.TimeProvider.CreateTimer(
                static state => ((NatsConnection)state!).Tick(), connection, TickPeriod, TickPeriod);
            await connection._loop.StartAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes while a server is ready, at once or after the next reconnect.</summary>
    public Task WaitUntilConnectedAsync(CancellationToken ct = default) => _loop.WaitUntilConnectedAsync(ct);

    /// <summary>
    /// Publishes at most once. Completes when the message stands in the write buffer (at its limit it waits for
    /// room); the payload may be reused then. A link that breaks later loses it, counted by
    /// <see cref="NatsCounters.PublishesDiscarded"/>: who needs proof asks with <see cref="FlushAsync"/>, a request
    /// or JetStream.
    /// </summary>
    /// <param name="subject">Tokens of printable ASCII parted by dots, no wildcards.</param>
    /// <param name="payload">At most the server's max_payload together with the headers.</param>
    /// <param name="headers">Optional headers.</param>
    /// <param name="replyTo">Optional subject for an answer.</param>
    /// <param name="ct">Cancels the wait for room; then nothing was sent.</param>
    /// <exception cref="NatsConnectionException">No link; nothing was sent.</exception>
    /// <exception cref="NatsPayloadTooLargeException">Too large.</exception>
    public ValueTask PublishAsync(
        string subject,
        ReadOnlyMemory<byte> payload,
        NatsHeaders? headers = null,
        string? replyTo = null,
        CancellationToken ct = default)
    {
        NatsSubjects.CheckPublish(subject);
        if (replyTo is not null)
        {
            NatsSubjects.CheckPublish(replyTo);
        }

        var publish = new NatsPublish { Subject = subject, ReplyTo = replyTo, Headers = headers, Payload = payload };
        Check(publish);
        ct.ThrowIfCancellationRequested();
        Counters.CountPublish();
        if (_output.TryAppend(publish))
        {
            return ValueTask.CompletedTask;
        }

        var waiting = new NatsWaitingPublish(Options.AllowSynchronousContinuations) { Publish = publish };
        if (_output.Append(waiting) is { } refused)
        {
            waiting.Fail(refused);
        }

        return WaitForRoomAsync(waiting, ct);
    }

    /// <summary>Asks one responder and waits for its answer.</summary>
    /// <param name="subject">As in <see cref="PublishAsync"/>.</param>
    /// <param name="payload">Must stay unchanged until the call ends.</param>
    /// <param name="timeout">Null: <see cref="NatsOptions.RequestTimeout"/>.</param>
    /// <param name="headers">Optional headers.</param>
    /// <param name="ct">Cancels the wait, not the request.</param>
    /// <exception cref="NatsNoRespondersException">Nobody listens there.</exception>
    /// <exception cref="NatsTimeoutException">No answer in time.</exception>
    /// <exception cref="NatsConnectionException">The link broke; whether it was served is unknown.</exception>
    public async ValueTask<NatsMessage> RequestAsync(
        string subject,
        ReadOnlyMemory<byte> payload,
        TimeSpan? timeout = null,
        NatsHeaders? headers = null,
        CancellationToken ct = default)
    {
        NatsSubjects.CheckPublish(subject);
        var request = new NatsRequest(subject, Options.AllowSynchronousContinuations);
        var publish = new NatsPublish
        {
            Subject = subject,
            ReplyTo = Requests.InboxPrefix,
            ReplyToken = ulong.MaxValue,
            Headers = headers,
            Payload = payload,
        };
        Check(publish);
        ct.ThrowIfCancellationRequested();
        if (Send(request, publish, timeout ?? Options.RequestTimeout) is { } refused)
        {
            request.Fail(refused);
        }

        await using var cancellation = ct.UnsafeRegister(
            (_, token) =>
            {
                Abandon(request);
                request.Cancel(token);
            },
            null);
        return await request.Task;
    }

    /// <summary>
    /// Subscribes; the messages wait in a bounded buffer, at its limit the newest is dropped and counted.
    /// </summary>
    /// <param name="subject">May hold wildcards: <c>*</c> one token, <c>&gt;</c> the rest.</param>
    /// <param name="queueGroup">Of a group each message reaches one member.</param>
    /// <param name="capacity">Messages that wait at most.</param>
    /// <param name="ct">Not used while subscribing needs no wait.</param>
    /// <returns>
    /// The subscription stands before anything that this connection sends later; a message by another connection
    /// can miss it until <see cref="FlushAsync"/> has returned. Without a link it is made on the next one.
    /// </returns>
    public ValueTask<NatsSubscription> SubscribeAsync(
        string subject, string? queueGroup = null, int capacity = 1024, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        NatsSubjects.CheckSubscribe(subject, queueGroup);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var subscription = new NatsSubscription(this, subject, queueGroup, capacity);
        AddSink(subscription.Target);
        return ValueTask.FromResult(subscription);
    }

    /// <summary>Subscribes with a handler called by the receive loop, without a buffer of its own.</summary>
    public ValueTask<NatsSubscription> SubscribeAsync(
        string subject, NatsMessageHandler handler, string? queueGroup = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ct.ThrowIfCancellationRequested();
        NatsSubjects.CheckSubscribe(subject, queueGroup);
        var subscription = new NatsSubscription(this, subject, queueGroup, handler);
        AddSink(subscription.Target);
        return ValueTask.FromResult(subscription);
    }

    /// <summary>Completes when the server has taken everything published and subscribed before.</summary>
    /// <exception cref="NatsConnectionException">No link, or it broke.</exception>
    public async ValueTask FlushAsync(CancellationToken ct = default)
    {
        var link = _loop.Link
            ?? throw new NatsConnectionException("Not connected", isTransient: State != NatsConnectionState.Closed);
        while (!_output.LineIsEmpty)
        {
            // Who waits for room has published before us; each PING lets one buffer through.
            await link.PingAsync().WaitAsync(ct);
        }

        await link.PingAsync().WaitAsync(ct);
    }

    /// <summary>Hands the server what was published, for a bounded time, then closes. Whoever waits fails.</summary>
    public async ValueTask DisposeAsync()
    {
        if (State == NatsConnectionState.Connected)
        {
            using var limit = new CancellationTokenSource(Options.DisposeTimeout, Options.TimeProvider);
            try
            {
                await FlushAsync(limit.Token);
            }
            catch (Exception e) when (e is NatsException or OperationCanceledException)
            {
                // The link is gone or slow: what it did not take is counted as discarded when the link closes.
                Raise(NatsConnectionEventKind.ClosedUnsent, e.Message);
            }
        }

        await _loop.StopAsync();
        if (_timer is { } timer)
        {
            await timer.DisposeAsync();
        }
    }

    /// <summary>Expects an answer and sends. Not null: refused, nothing is expected.</summary>
    internal NatsException? Send(NatsPendingReply pending, in NatsPublish publish, TimeSpan timeout)
    {
        pending.Deadline = Now + timeout;
        Requests.Add(pending);
        pending.Publish = publish with { ReplyToken = pending.Token };
        Counters.CountPublish();
        var refused = _output.Append(pending);
        if (refused is not null)
        {
            Requests.Remove(pending);
        }

        return refused;
    }

    /// <summary>Stops expecting the answer and reading the payload. False: it was answered already.</summary>
    internal bool Abandon(NatsPendingReply pending)
    {
        var removed = Requests.Remove(pending);
        _output.Withdraw(pending);
        return removed;
    }

    internal void Check(in NatsPublish publish)
    {
        ObjectDisposedException.ThrowIf(State == NatsConnectionState.Closed, this);
        var limit = Math.Min(_loop.Info.MaxPayload, Options.MessageBytesMax);
        if (publish.SizeBytes > limit)
        {
            throw new NatsPayloadTooLargeException(publish.SizeBytes, limit);
        }
    }

    internal string NewInbox() => $"{Requests.InboxPrefix}s{Interlocked.Increment(ref _inboxes)}";

    internal void AddSink(NatsSink sink)
    {
        ObjectDisposedException.ThrowIf(State == NatsConnectionState.Closed, this);
        _sinks.Add(sink);
        _output.AppendControl(sink, static (s, output) =>
            NatsFrameWriter.WriteSubscribe(output, s.Subject, s.QueueGroup, s.Id));
    }

    internal void RemoveSink(NatsSink sink)
    {
        if (_sinks.Remove(sink))
        {
            _output.AppendControl(sink.Id, static (id, output) => NatsFrameWriter.WriteUnsubscribe(output, id));
        }
    }

    private async ValueTask WaitForRoomAsync(NatsWaitingPublish waiting, CancellationToken ct)
    {
        await using var cancellation = ct.UnsafeRegister(
            (_, token) =>
            {
                if (_output.Withdraw(waiting))
                {
                    waiting.Cancel(token);
                }
            },
            null);
        await waiting.Task;
    }

    private void Complain(string text)
    {
        Counters.CountComplaint();
        Raise(NatsConnectionEventKind.ServerComplained, text);
    }

    private void Raise(NatsConnectionEventKind kind, string detail) =>
        Raise(new(kind, ConnectionGeneration, _loop.Link?.Address.ToString() ?? "", null, detail));

    private void Raise(NatsConnectionEvent e)
    {
        try
        {
            ConnectionChanged?.Invoke(e);
        }
        catch (Exception)
        {
            // A handler's fault must not end the reconnect loop, and there is nobody else to tell.
            Counters.CountHandlerFailure();
        }
    }

    private void Tick()
    {
        var now = Now;
        _loop.Link?.Tick(now);
        var expired = Requests.TakeExpired(now);
        Counters.CountTimeouts(expired.Count);
        foreach (var request in expired)
        {
            _output.Withdraw(request);
            request.Fail(new NatsTimeoutException($"No answer on '{request.Publish.Subject}' in time"));
        }

        Tickers.Tick(now);
    }
}
