using System.Text.Json;

namespace Telemetry.Nats;

/// <summary>
/// Reads a stream from a sequence on, in order, without acknowledgements: an ephemeral pull consumer. It never goes on
/// by itself over a gap: it hands out an unbroken run of sequences and then ends with a reason
/// (<see cref="PullConsumerEnd"/>). Its owner then checks its position and begins a new one. What was received before
/// the end can still be read. One reader at a time; anything else from any thread.
/// </summary>
public sealed class PullConsumer : IAsyncDisposable
{
    private readonly JetStreamContext _jetStream;
    private readonly NatsConnection _connection;
    private readonly PullConsumerOptions _options;
    private readonly Lock _gate = new();
    private readonly PullSession _session;
    private readonly Queue<(JetStreamMessage Message, int Bytes)> _waiting = new();
    private readonly Pulse _readable;
    private readonly Sink _sink;
    private readonly string _inbox;
    private string? _name;

    private PullConsumer(JetStreamContext jetStream, string stream, ulong startSequence, PullConsumerOptions options)
    {
        _jetStream = jetStream;
        _connection = jetStream.Connection;
        _options = options;
        Stream = stream;
        StartSequence = startSequence;
        _session = new(startSequence, options);
        _readable = new(_connection.Options.AllowSynchronousContinuations);
        _inbox = _connection.NewInbox() + ".";
        _sink = new(this, _inbox + "*");
    }

    /// <summary>The stream's name.</summary>
    public string Stream { get; }

    /// <summary>The name that the server gave the consumer.</summary>
    public string Name => _name ?? "";

    /// <summary>The sequence asked for.</summary>
    public ulong StartSequence { get; }

    /// <summary>
    /// The first sequence delivered, null before: beyond <see cref="StartSequence"/> when the stream no longer holds
    /// that.
    /// </summary>
    public ulong? FirstSequence { get; private set; }

    /// <summary>The reason once it has ended, else null. Messages may still wait to be read.</summary>
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

    /// <summary>
    /// Makes the consumer at the server and asks for the first messages. Waits for a link if there is none.
    /// </summary>
    /// <param name="jetStream">Where.</param>
    /// <param name="stream">An existing stream.</param>
    /// <param name="startSequence">
    /// 1 or more. Below the stream's first sequence it begins with that one; one beyond its last it waits. Further
    /// beyond, the server would begin at the stream's end all the same: the next message then is a jump.
    /// </param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="JetStreamException">E.g. <see cref="JetStreamErrorCodes.StreamNotFound"/>.</exception>
    /// <exception cref="NatsException">Link lost, no answer, JetStream not up.</exception>
    public static async ValueTask<PullConsumer> BeginAsync(
        JetStreamContext jetStream,
        string stream,
        ulong startSequence,
        PullConsumerOptions? options = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(jetStream);
        ArgumentOutOfRangeException.ThrowIfLessThan(startSequence, 1ul);
        NatsSubjects.CheckName(stream);
        options ??= new();
        options.Validate();
        await jetStream.Connection.WaitUntilConnectedAsync(ct);
        var consumer = new PullConsumer(jetStream, stream, startSequence, options);
        jetStream.Connection.AddSink(consumer._sink);
        try
        {
            await consumer.CreateAsync(ct);
            return consumer;
        }
        catch
        {
            jetStream.Connection.RemoveSink(consumer._sink);
            throw;
        }
    }

    /// <summary>The next message if one waits.</summary>
    public bool TryRead(out JetStreamMessage message)
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

    /// <summary>As many messages as wait and fit; returns how many.</summary>
    public int TryRead(Span<JetStreamMessage> batch)
    {
        PullRequest? pull;
        var count = 0;
        lock (_gate)
        {
            long bytes = 0;
            while (count < batch.Length && _waiting.TryDequeue(out var next))
            {
                batch[count++] = next.Message;
                bytes += next.Bytes;
            }

            _session.Take(count, bytes);
            pull = NextPull();
        }

        Send(pull);
        return count;
    }

    /// <summary>Waits until a message can be read: true. False: it has ended and all was read.</summary>
    public async ValueTask<bool> WaitToReadAsync(CancellationToken ct = default)
    {
        await using var cancellation = ct.UnsafeRegister(static state => ((Pulse)state!).Set(), _readable);
        while (true)
        {
            ct.ThrowIfCancellationRequested();
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
            }

            await _readable.WaitAsync();
        }
    }

    /// <summary>Waits for messages and takes as many as fit. 0: it has ended and all was read.</summary>
    public async ValueTask<int> ReadAsync(Memory<JetStreamMessage> batch, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(batch.Length, nameof(batch));
        while (await WaitToReadAsync(ct))
        {
            if (TryRead(batch.Span) is var count and > 0)
            {
                return count;
            }
        }

        return 0;
    }

    /// <summary>Ends it and tells the server, without waiting for an answer.</summary>
    public ValueTask DisposeAsync()
    {
        Finish(new(PullConsumerEndReason.Closed, "Disposed"));
        return ValueTask.CompletedTask;
    }

    private async ValueTask CreateAsync(CancellationToken ct)
    {
        var request = JsonSerializer.SerializeToUtf8Bytes(
            new WireConsumerRequest(Stream, new()
            {
                OptStartSeq = StartSequence,
                InactiveThreshold = JetStreamTime.ToNanoseconds(_options.InactiveThreshold),
            }),
            JetStreamJson.Default.WireConsumerRequest);
        var response = JetStreamContext.Ensure(await _jetStream.CallAsync(
            "CONSUMER.CREATE." + Stream, request, JetStreamJson.Default.WireConsumerResponse, ct));
        var name = response.Name ?? throw new NatsProtocolException("A consumer was made without a name");
        NatsSubjects.CheckName(name);
        PullRequest? pull;
        lock (_gate)
        {
            if (_session.End is { } ended)
            {
                throw new NatsConnectionException($"The link broke while the consumer was made: {ended.Detail}");
            }

            _name = name;
            pull = NextPull();
        }

        _connection.Tickers.Add(Tick);
        Send(pull);
    }

    /// <summary>Under the lock.</summary>
    private PullRequest? NextPull() =>
        _name is not null && _session.TryPull(_connection.Now, out var request) ? request : null;

    private void Send(PullRequest? pull)
    {
        if (pull is not { } request)
        {
            return;
        }

        var wire = new WirePullRequest(
            request.Messages,
            JetStreamTime.ToNanoseconds(_options.Expires),
            JetStreamTime.ToNanoseconds(_options.IdleHeartbeat))
        {
            MaxBytes = request.BytesMax,
        };
        SendOff(
            $"$JS.API.CONSUMER.MSG.NEXT.{Stream}.{_name}",
            $"{_inbox}{request.Number}",
            JsonSerializer.SerializeToUtf8Bytes(wire, JetStreamJson.Default.WirePullRequest));
    }

    /// <summary>Sends without waiting for room; where there is no link any more, the consumer ends by that.</summary>
    private void SendOff(string subject, string? replyTo, byte[] payload)
    {
        var publish = new NatsPublish { Subject = subject, ReplyTo = replyTo, Payload = payload };
        _ = _connection.Output.Append(new NatsUnwatchedPublish { Publish = publish });
    }

    private void Deliver(in NatsFrame frame, NatsSubjectCache subjects)
    {
        PullRequest? pull;
        PullConsumerEnd? end;
        lock (_gate)
        {
            var now = _connection.Now;
            if (DeliveryPosition.TryRead(frame.ReplyTo, out var position))
            {
                var bytes = frame.Subject.Length + frame.ReplyTo.Length
                    + (int)frame.Headers.Length + (int)frame.Payload.Length;
                if (_session.Deliver(position, bytes, now))
                {
                    FirstSequence ??= position.StreamSequence;
                    var message = NatsMessage.Copy(frame, subjects.Get(frame.Subject));
                    _waiting.Enqueue((new(message, position), bytes));
                }
            }
            else
            {
                _session.Receive(PullStatus.Read(frame, _inbox), now);
            }

            end = _session.End;
            pull = NextPull();
        }

        if (end is not null)
        {
            Finish(end);
            return;
        }

        Send(pull);
        _readable.Set();
        _options.Readable?.Invoke();
    }

    private void Tick(TimeSpan now)
    {
        PullConsumerEnd? end;
        lock (_gate)
        {
            _session.Tick(now);
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
        lock (_gate)
        {
            _session.Finish(end);
            name = _name;
            _name = null;
        }

        // Also without a name: the end may strike between the consumer's creation and its first tick.
        _connection.Tickers.Remove(Tick);
        _connection.RemoveSink(_sink);
        var isGone = end.Reason is PullConsumerEndReason.ConnectionLost or PullConsumerEndReason.Deleted;
        if (name is not null && !isGone)
        {
            SendOff($"$JS.API.CONSUMER.DELETE.{Stream}.{name}", null, []);
        }

        _readable.Set();
        _options.Readable?.Invoke();
    }

    private sealed class Sink(PullConsumer owner, string subject) : NatsSink(subject, null)
    {
        private readonly NatsSubjectCache _subjects = new();

        public override bool SurvivesReconnect => false;

        public override void Deliver(in NatsFrame frame) => owner.Deliver(frame, _subjects);

        public override void End(NatsException reason)
        {
            var end = NatsConnectionException.IsFinal(reason)
                ? PullConsumerEndReason.Closed
                : PullConsumerEndReason.ConnectionLost;
            owner.Finish(new(end, reason.Message));
        }
    }
}
