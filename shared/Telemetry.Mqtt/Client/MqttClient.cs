using System.Net.Sockets;
using System.Security.Authentication;
using Telemetry.Mqtt.Packets;
using Telemetry.Mqtt.Sessions;
using Telemetry.Mqtt.Topics;
using Telemetry.Mqtt.Transport;

namespace Telemetry.Mqtt;

/// <summary>
/// An MQTT 5.0 client: one object is one connection. When it breaks, <see cref="Closed"/> completes and everything that
/// waits fails with <see cref="MqttConnectionException"/>; the caller makes a new client (see
/// <see cref="ReconnectBackoff"/>). It never sends a message twice. Every member may be called from any thread.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    private readonly MqttClientOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<MqttMessage, ValueTask>? _onMessage;
    private readonly Func<CancellationToken, ValueTask<(Stream, Socket?)>> _dial;
    private readonly ClientSession _session;
    private readonly TaskCompletionSource<ConnectResult> _connected;
    private readonly TaskCompletionSource<MqttCloseReason> _closed;
    private MqttConnection? _connection;
    private Task _running = Task.CompletedTask;
    private readonly Lock _starting = new();
    private int _started;

    /// <summary>Makes a client that is not connected yet.</summary>
    /// <param name="options">Validated here.</param>
    /// <param name="time">Drives keep-alive and timeouts.</param>
    /// <param name="onMessage">
    /// Called for each message in the order of arrival, without waiting for the call before to complete. At most
    /// <see cref="MqttSessionLimits.ReceiveMaximum"/> run at once. The PUBACK of a QoS 1 message leaves when its call
    /// has completed. A call that fails ends the connection, so that the server delivers again. Null: a client that
    /// receives nothing.
    /// </param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MqttClient(MqttClientOptions options, TimeProvider time, Func<MqttMessage, ValueTask>? onMessage = null)
        : this(options, time, onMessage, dial: null)
    {
    }

    internal MqttClient(
        MqttClientOptions options, TimeProvider time, Func<MqttMessage, ValueTask>? onMessage,
        Func<CancellationToken, ValueTask<(Stream, Socket?)>>? dial)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _options = options;
        _time = time;
        _onMessage = onMessage;
        _dial = dial ?? (ct => Dialer.DialAsync(options, ct));
        _session = new ClientSession(options);
        _connected = NewSource<ConnectResult>();
        _closed = NewSource<MqttCloseReason>();
    }

    /// <summary>Completes, never fails, when the connection has ended.</summary>
    public Task<MqttCloseReason> Closed => _closed.Task;

    /// <summary>True between a successful CONNACK and the end of the connection.</summary>
    public bool IsConnected => _connection is not null && _session.IsConnected;

    /// <summary>Connects; once in a client's life.</summary>
    /// <returns>The CONNACK: success, or the server's refusal, after which the connection is closed.</returns>
    /// <exception cref="MqttConnectionException">
    /// No connection, or no CONNACK in time (inner TimeoutException).
    /// </exception>
    public async Task<ConnectResult> ConnectAsync(CancellationToken ct = default)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("a client connects once");
        var (stream, socket) = await DialInTimeAsync(ct);
        var connection = new MqttConnection(
            stream, socket, _session, _time, _time.GetTimestamp(), _options.SocketUnsentBytesMax, Handle);
        lock (_starting)
        {
            if (_closed.Task.IsCompleted)
            {
                stream.Dispose();
                socket?.Dispose();
                throw new MqttConnectionException(_closed.Task.Result);
            }
            _connection = connection;
        }
        lock (connection.Gate) _session.Start(connection.Now);
        _running = connection.RunAsync();
        try
        {
            return await _connected.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            Close(new MqttCloseReason(MqttCloseKind.Local, MqttReasonCode.Success, "connecting was cancelled"));
            throw;
        }
    }

    /// <summary>
    /// Publishes one message. Any number may be outstanding; beyond the server's Receive Maximum they wait, in order,
    /// up to the queued limits of <see cref="MqttClientOptions.Limits"/>.
    /// </summary>
    /// <param name="topic">1 to 65,535 bytes of UTF-8 without wildcards.</param>
    /// <param name="payload">Must stay unchanged until the task completes.</param>
    /// <param name="qos">0 or 1.</param>
    /// <param name="userProperties">At most 48.</param>
    /// <param name="ct">Gives up waiting. A message that was written already may still be delivered.</param>
    /// <returns>QoS 1: the PUBACK. QoS 0: success, once the message was written out.</returns>
    /// <exception cref="MqttConnectionException">
    /// The connection ended before; the message may have been delivered.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// Topic, QoS or properties are invalid, or the packet is too large for the server.
    /// </exception>
    /// <exception cref="InvalidOperationException">Not connected yet, or the queued limits are reached.</exception>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, MqttQos qos = MqttQos.AtLeastOnce,
        IReadOnlyList<MqttUserProperty>? userProperties = null, CancellationToken ct = default)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<PublishResult>(ct);
        var pending = NewSource<PublishResult>();
        var publish = OutgoingMessage.Create(topic, payload, qos, userProperties, pending);
        var connection = Connected();
        EnqueueOutcome outcome;
        lock (connection.Gate)
        {
            if (_session.Closed is { } reason)
                return ValueTask.FromException<PublishResult>(new MqttConnectionException(reason));
            if (!_session.IsConnected) throw NotConnected();
            outcome = _session.TryPublish(publish);
        }
        if (outcome == EnqueueOutcome.TooLarge)
            throw new ArgumentException("packet is larger than the server takes", nameof(payload));
        if (outcome == EnqueueOutcome.Full)
            throw new InvalidOperationException("too many publishes wait (QueuedMessagesMax or QueuedBytesMax)");
        connection.Wake();
        return new ValueTask<PublishResult>(
            ct.CanBeCanceled ? AwaitAsync(connection, publish, pending, ct) : pending.Task);
    }

    /// <summary>Subscribes to filters, shared ones included, and waits for the SUBACK.</summary>
    /// <exception cref="ArgumentException">A filter is malformed.</exception>
    /// <exception cref="MqttConnectionException">The connection ended before the answer.</exception>
    public Task<SubscribeResult> SubscribeAsync(
        IReadOnlyList<string> filters, MqttQos qos, CancellationToken ct = default)
    {
        CheckFilters(filters);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, 1, nameof(qos));
        var wishes = filters.Select(f => new SubscribeFilter(f, (byte)qos)).ToArray();
        return AskAsync(source => _session.TrySubscribe(wishes, source), ct);
    }

    /// <summary>Ends subscriptions and waits for the UNSUBACK.</summary>
    /// <exception cref="ArgumentException">A filter is malformed.</exception>
    /// <exception cref="MqttConnectionException">The connection ended before the answer.</exception>
    public Task<SubscribeResult> UnsubscribeAsync(IReadOnlyList<string> filters, CancellationToken ct = default)
    {
        CheckFilters(filters);
        return AskAsync(source => _session.TryUnsubscribe(filters, source), ct);
    }

    /// <summary>Says DISCONNECT and closes, within about a second. What waits for an answer fails.</summary>
    public async Task DisconnectAsync()
    {
        Close(new MqttCloseReason(MqttCloseKind.Local, MqttReasonCode.Success, "client disconnected"));
        await _running;
    }

    /// <summary>As <see cref="DisconnectAsync"/>.</summary>
    public async ValueTask DisposeAsync() => await DisconnectAsync();

    private async Task<PublishResult> AwaitAsync(
        MqttConnection connection, OutgoingPublish publish, TaskCompletionSource<PublishResult> pending,
        CancellationToken ct)
    {
        try
        {
            return await pending.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            lock (connection.Gate) publish.IsCancelled = true;
            throw;
        }
    }

    private async Task<SubscribeResult> AskAsync(
        Func<TaskCompletionSource<SubscribeResult>, bool> ask, CancellationToken ct)
    {
        var source = NewSource<SubscribeResult>();
        var connection = Connected();
        lock (connection.Gate)
        {
            if (_session.Closed is { } reason) throw new MqttConnectionException(reason);
            if (!_session.IsConnected) throw NotConnected();
            if (!ask(source)) throw new InvalidOperationException("too many subscribe requests await an answer");
        }
        connection.Wake();
        return await source.Task.WaitAsync(ct);
    }

    private void Handle(SessionEvent e)
    {
        switch (e)
        {
            case ConnectAnswered answered:
                _connected.TrySetResult(ConnectResult.From(answered.Packet));
                break;
            case PublishAnswered answered:
                var result = answered.Properties.IsEmpty && answered.ReasonCode == MqttReasonCode.Success
                    ? PublishResult.Written
                    : new PublishResult(answered.ReasonCode, answered.Properties.UserProperties,
                        answered.Properties.Text(PropertyId.ReasonString));
                ((TaskCompletionSource<PublishResult>)answered.Publish.State!).TrySetResult(result);
                break;
            case SubscribeAnswered answered:
                ((TaskCompletionSource<SubscribeResult>)answered.State).TrySetResult(new SubscribeResult(
                    answered.Packet.ReasonCodes, answered.Packet.Properties.Text(PropertyId.ReasonString)));
                break;
            case MessageArrived arrived:
                _ = DeliverAsync(arrived);
                break;
            case SessionClosed closed:
                FailAll(closed.Reason);
                break;
        }
    }

    private async Task DeliverAsync(MessageArrived arrived)
    {
        var connection = _connection!;
        try
        {
            if (_onMessage is not null) await _onMessage(arrived.Message);
            lock (connection.Gate)
                _session.Complete(arrived.Ticket, MqttReasonCode.Success, PropertyList.Empty, connection.Now);
            connection.Wake();
        }
        catch (Exception e)
        {
            Close(new MqttCloseReason(MqttCloseKind.ApplicationError, MqttReasonCode.ImplementationSpecificError,
                $"message callback failed: {e.GetType().Name}"));
        }
    }

    private void FailAll(MqttCloseReason reason)
    {
        IReadOnlyList<OutgoingPublish> publishes;
        IReadOnlyList<object> subscribes;
        lock (_connection!.Gate)
        {
            publishes = _session.Outgoing.Abandon();
            subscribes = _session.AbandonSubscribes();
        }
        if (reason.Kind == MqttCloseKind.Refused)
            _connected.TrySetResult(new ConnectResult { ReasonCode = reason.ReasonCode, ReasonString = reason.Text });
        else if (reason.Kind == MqttCloseKind.ConnectTimeout)
            _connected.TrySetException(new MqttConnectionException(reason, new TimeoutException(reason.Text)));
        else
            _connected.TrySetException(new MqttConnectionException(reason));
        foreach (var publish in publishes)
            ((TaskCompletionSource<PublishResult>)publish.State!).TrySetException(new MqttConnectionException(reason));
        foreach (var source in subscribes)
            ((TaskCompletionSource<SubscribeResult>)source).TrySetException(new MqttConnectionException(reason));
        _closed.TrySetResult(reason);
    }

    private void Close(MqttCloseReason reason)
    {
        Interlocked.Exchange(ref _started, 1);
        MqttConnection? connection;
        lock (_starting)
        {
            connection = _connection;
            if (connection is null) _closed.TrySetResult(reason);
        }
        if (connection is null) return;
        lock (connection.Gate) _session.Close(reason);
        connection.Touched();
    }

    private async Task<(Stream, Socket?)> DialInTimeAsync(CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            return await _dial(both.Token);
        }
        catch (Exception e) when (
            e is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            // What fails in the moment of a cancellation is cancelled, whichever came first.
            ct.ThrowIfCancellationRequested();
            bool late = e is OperationCanceledException;
            var reason = new MqttCloseReason(late ? MqttCloseKind.ConnectTimeout : MqttCloseKind.ConnectionLost,
                MqttReasonCode.UnspecifiedError, late ? "no connection in time" : e.Message);
            _closed.TrySetResult(reason);
            throw new MqttConnectionException(reason, late ? new TimeoutException(reason.Text, e) : e);
        }
    }

    private MqttConnection Connected() => _connection ?? throw NotConnected();

    private static InvalidOperationException NotConnected() => new("not connected yet");

    private static void CheckFilters(IReadOnlyList<string> filters)
    {
        ArgumentNullException.ThrowIfNull(filters);
        ArgumentOutOfRangeException.ThrowIfZero(filters.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filters.Count, SubscribePacket.FiltersMax);
        foreach (string filter in filters)
        {
            if (!TopicFilter.IsValid(filter))
                throw new ArgumentException($"topic filter '{filter}' is malformed", nameof(filters));
        }
    }

    private TaskCompletionSource<T> NewSource<T>() => new(_options.AllowSynchronousContinuations
        ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
}
