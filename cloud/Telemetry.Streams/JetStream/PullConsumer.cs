using System.Buffers;
using System.Globalization;
using System.Text;
using NATS.Client.Core;
using NATS.Client.JetStream.Models;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// Reads a stream from a sequence on, in order, without acknowledgements: an ephemeral pull consumer. It never
/// continues over a gap: it delivers an unbroken run of sequences and then ends with a reason (<see
/// cref="PullConsumerEnd"/>). Its owner then checks its position and begins a new consumer. Messages received before
/// the end can still be read. One reader at a time; all other members may be used on any thread. The library's own
/// consumers skip gaps and reconnect silently.
/// </summary>
internal sealed class PullConsumer : QuietSubscription
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly JetStreamConnection _connection;
    private readonly PullConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly Lock _gate = new();
    private readonly PullSession _session;
    private readonly Queue<(StoredMessage Message, int Bytes)> _waiting = new();
    private readonly string _inbox;
    private TaskCompletionSource _readable = NewSignal();
    private CancellationTokenRegistration _onLost;
    private ITimer? _timer;
    private string? _name;

    private PullConsumer(
        JetStreamConnection connection, string stream, ulong startSequence, PullConsumerOptions options, string inbox)
        : base(connection.Nats, inbox + "*")
    {
        (_connection, Stream, _options, _inbox) = (connection, stream, options, inbox);
        _time = connection.Options.TimeProvider;
        _startedAt = _time.GetTimestamp();
        _session = new PullSession(startSequence, options);
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>The name that the server gave the consumer.</summary>
    public string Name => _name ?? "";

    /// <summary>The reason once it has ended, otherwise null. Messages may still wait to be read.</summary>
    public PullConsumerEnd? End
    {
        get
        {
            lock (_gate)
            {
                return _session.End;
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_startedAt);

    /// <summary>
    /// Makes the consumer on the server and asks for the first messages. Waits for a link if there is none.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="stream">An existing stream.</param>
    /// <param name="startSequence">1 or more. Before the stream's first sequence it begins with the first; one after
    /// its last it waits. With a greater number the server begins at the end of the stream all the same, and the next
    /// message then counts as a jump.</param>
    /// <param name="options">Its limits.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="FrameLogException">The stream does not exist, the link broke, or there was no
    /// answer.</exception>
    public static async ValueTask<PullConsumer> BeginAsync(
        JetStreamConnection connection, string stream, ulong startSequence, PullConsumerOptions options,
        CancellationToken cancellationToken)
    {
        options.Validate();
        await connection.WaitUntilConnectedAsync(cancellationToken);
        var consumer = new PullConsumer(
            connection, stream, startSequence, options, connection.NewInbox("pull") + ".");
        try
        {
            consumer._onLost = connection.LinkLost.UnsafeRegister(
                static state => ((PullConsumer)state!).Finish(new(
                    PullConsumerEndReason.ConnectionLost, "the link to NATS broke")),
                consumer);
            await connection.CallAsync(
                $"read {stream} from {startSequence} on",
                async token =>
                {
                    await connection.Nats.AddSubAsync(consumer, token);
                    await consumer.CreateAsync(startSequence, token);
                    return true;
                },
                cancellationToken);
            return consumer;
        }
        catch
        {
            await consumer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns the next message if one waits.</summary>
    public bool TryRead(out StoredMessage message)
    {
        PullRequest? pull;
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out var next))
            {
                message = default;
                return false;
            }

            message = next.Message;
            _session.Take(1, next.Bytes);
            pull = NextPull();
        }

        Send(pull);
        return true;
    }

    /// <summary>
    /// Waits until a message can be read (true), or until the consumer has ended and everything was read (false).
    /// </summary>
    public async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task readable;
            lock (_gate)
            {
                if (_waiting.Count > 0)
                {
                    return true;
                }

                if (_session.End is not null)
                {
                    return false;
                }

                readable = _readable.Task;
            }

            await readable.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Ends the consumer and informs the server, without waiting for an answer.</summary>
    public override ValueTask DisposeAsync()
    {
        Finish(new(PullConsumerEndReason.Closed, "Disposed"));
        return base.DisposeAsync();
    }

    protected override void Receive(
        string subject, string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload)
    {
        PullRequest? pull;
        PullConsumerEnd? end;
        lock (_gate)
        {
            var read = MessageHeaders.Read(Connection, headers);
            if (DeliveryPosition.TryRead(replyTo, out var position))
            {
                var bytes = subject.Length + replyTo!.Length + (int)(headers?.Length ?? 0)
                    + (int)payload.Length;
                if (_session.Deliver(position, bytes, Now))
                {
                    _waiting.Enqueue((
                        new StoredMessage(
                            subject, position.StreamSequence, read.Find("Nats-Msg-Id"), payload.ToArray(),
                            position.StoredAtNanoseconds),
                        bytes));
                }
            }
            else if (PullStatus.TryRead(
                subject.AsSpan(Math.Min(_inbox.Length, subject.Length)), read, out var status))
            {
                _session.Receive(status, Now);
            }
            else
            {
                _session.Finish(new(
                    PullConsumerEndReason.Refused, "an unexpected message came: a delivery or a status was expected"));
            }

            end = _session.End;
            pull = NextPull();
        }

        if (end is not null)
        {
            Finish(end);
        }
        else
        {
            Send(pull);
            Wake();
        }
    }

    protected override void TryComplete() =>
        Finish(new(PullConsumerEndReason.Closed, "the connection was closed"));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async ValueTask CreateAsync(ulong startSequence, CancellationToken cancellationToken)
    {
        var made = await _connection.Context.CreateConsumerAsync(
            Stream,
            new ConsumerConfig
            {
                DeliverPolicy = ConsumerConfigDeliverPolicy.ByStartSequence,
                OptStartSeq = startSequence,
                AckPolicy = ConsumerConfigAckPolicy.None,
                InactiveThreshold = _options.InactiveThreshold,
                MemStorage = true,
                NumReplicas = 1,
            },
            cancellationToken);
        PullRequest? pull;
        lock (_gate)
        {
            if (_session.End is { } ended)
            {
                throw new FrameLogException($"the consumer ended while it was made: {ended.Detail}");
            }

            _name = made.Info.Name;
            _timer = _time.CreateTimer(static state => ((PullConsumer)state!).Tick(), this, LookEvery, LookEvery);
            pull = NextPull();
        }

        Send(pull);
    }

    /// <summary>Call it under the lock.</summary>
    private PullRequest? NextPull() =>
        _name is not null && _session.TryPull(Now, out var request) ? request : null;

    private void Send(PullRequest? pull)
    {
        if (pull is { } request)
        {
            var limit = request.BytesMax is { } bytes ? $",\"max_bytes\":{bytes}" : "";
            SendOff(
                $"CONSUMER.MSG.NEXT.{Stream}.{_name}",
                string.Create(CultureInfo.InvariantCulture, $"{_inbox}{request.Number}"),
                $"{{\"batch\":{request.Messages}{limit},\"expires\":{_options.Expires.Ticks * 100},"
                + $"\"idle_heartbeat\":{_options.IdleHeartbeat.Ticks * 100}}}");
        }
    }

    /// <summary>Sends without waiting; if there is no link any more, the consumer ends for that reason.</summary>
    private void SendOff(string call, string? replyTo, string body) => _ = SendOffAsync(call, replyTo, body);

    private async Task SendOffAsync(string call, string? replyTo, string body)
    {
        try
        {
            await _connection.Nats.PublishAsync<ReadOnlyMemory<byte>>(
                $"{_connection.Context.Opts.Prefix}.{call}",
                Encoding.ASCII.GetBytes(body),
                replyTo: replyTo,
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                cancellationToken: _connection.LinkLost);
        }
        catch (Exception e) when (JetStreamConnection.IsTrouble(e, CancellationToken.None))
        {
            Finish(new(PullConsumerEndReason.ConnectionLost, JetStreamConnection.Text(e)));
        }
    }

    private void Tick()
    {
        PullConsumerEnd? end;
        lock (_gate)
        {
            _session.Tick(Now);
            end = _session.End;
        }

        if (end is not null)
        {
            Finish(end);
        }
    }

    private void Finish(PullConsumerEnd end)
    {
        string? name;
        ITimer? timer;
        lock (_gate)
        {
            _session.Finish(end);
            (name, timer) = (_name, _timer);
            (_name, _timer) = (null, null);
        }

        timer?.Dispose();
        _onLost.Unregister();
        var isGone = end.Reason is PullConsumerEndReason.ConnectionLost or PullConsumerEndReason.Deleted;
        if (name is not null && !isGone && _connection.IsConnected)
        {
            SendOff($"CONSUMER.DELETE.{Stream}.{name}", null, "");
        }

        Wake();
    }

    private void Wake()
    {
        TaskCompletionSource readable;
        lock (_gate)
        {
            readable = _readable;
            if (_session.End is null)
            {
                _readable = NewSignal();
            }
        }

        readable.TrySetResult();
        _options.Readable?.Invoke();
    }
}
