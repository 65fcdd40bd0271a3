using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// Appends that wait for their acknowledgement, a limited number at a time, all on one inbox. When the link breaks,
/// appends under way fail at once: it is unknown whether they were stored. Nothing is sent twice. May be used on any
/// thread.
/// </summary>
internal sealed class PublishWindow : QuietSubscription
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly JetStreamConnection _connection;
    private readonly string _inbox;
    private readonly SemaphoreSlim _places;
    private readonly ConcurrentDictionary<long, Append> _waiting = new();
    private readonly ConcurrentQueue<Append> _byAge = new();
    private readonly ITimer _timer;
    private long _last;

    public PublishWindow(JetStreamConnection connection)
        : this(connection, connection.NewInbox("append"))
    {
    }

    private PublishWindow(JetStreamConnection connection, string inbox)
        : base(connection.Nats, inbox + ".*")
    {
        (_connection, _inbox) = (connection, inbox);
        _places = new SemaphoreSlim(connection.Options.AppendsInFlightMax, connection.Options.AppendsInFlightMax);
        _timer = connection.Options.TimeProvider.CreateTimer(
            static window => ((PublishWindow)window!).EndLate(), this, LookEvery, LookEvery);
    }

    /// <summary>
    /// Appends a message to the stream of its subject; completes when the stream has stored it. The payload must stay
    /// unchanged until then.
    /// </summary>
    /// <exception cref="FrameLogException">The message was refused, or its outcome is unknown.</exception>
    public async ValueTask<PubAckResponse> PublishAsync(
        string subject, ReadOnlyMemory<byte> payload, string? messageId, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        Append? append = null;
        try
        {
            var lost = _connection.LinkLost;
            if (!_connection.IsConnected)
            {
                throw new FrameLogException("not connected to NATS");
            }

            using var sending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
            append = new Append(Interlocked.Increment(ref _last), TimeNow);
            _waiting[append.Number] = append;
            _byAge.Enqueue(append);
            await using var onLost = lost.UnsafeRegister(
                static state => ((Append)state!).Fail("the link to NATS broke"), append);
            await using var onCancel = cancellationToken.UnsafeRegister(
                static (state, token) => ((Append)state!).Outcome.TrySetCanceled(token), append);
            var sent = _connection.Nats.PublishAsync(
                subject,
                payload,
                messageId is null ? null : new NatsHeaders { ["Nats-Msg-Id"] = messageId },
                replyTo: string.Create(CultureInfo.InvariantCulture, $"{_inbox}.{append.Number}"),
                serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                cancellationToken: sending.Token);
            if (!sent.IsCompleted)
            {
                // It may wait for room in the library's buffer.
                sending.CancelAfter(JetStreamConnection.AnswerTimeout);
            }

            await sent;
            return await append.Outcome.Task;
        }
        catch (Exception e) when (JetStreamConnection.IsTrouble(e, cancellationToken))
        {
            // These only end the writing; the append's own failure is more precise.
            if (append is { HasFailed: true })
            {
                await append.Outcome.Task;
            }

            throw new FrameLogException(JetStreamConnection.Text(e), inner: e);
        }
        finally
        {
            if (append is not null && _waiting.TryRemove(append.Number, out _) && append.HasFailed)
            {
                _connection.Counters.CountUnanswered(1);
            }

            _places.Release();
        }
    }

    public override ValueTask DisposeAsync()
    {
        _timer.Dispose();
        return base.DisposeAsync();
    }

    protected override void Receive(
        string subject, string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload)
    {
        if (long.TryParse(
                subject.AsSpan(Math.Min(_inbox.Length + 1, subject.Length)), CultureInfo.InvariantCulture,
                out var number)
            && _waiting.TryRemove(number, out var append))
        {
            Settle(append, payload);
        }
    }

    protected override void TryComplete()
    {
        // It ends with its connection.
    }

    private static void Settle(Append append, in ReadOnlySequence<byte> payload)
    {
        if (payload.IsEmpty)
        {
            append.Refuse("no stream has this subject, or JetStream does not run");
            return;
        }

        try
        {
            var ack = NatsJSJsonSerializer<PubAckResponse>.Default.Deserialize(payload);
            if (ack is { Error: null, Stream.Length: > 0, Seq: > 0 } or { Error: not null })
            {
                append.Outcome.TrySetResult(ack);
                return;
            }
        }
        catch (Exception)
        {
            // No exception of any kind may reach the library's receive loop.
        }

        append.Refuse("the acknowledgement cannot be read");
    }

    private long TimeNow => _connection.Options.TimeProvider.GetTimestamp();

    private void EndLate()
    {
        // A timer may fire again while its callback still runs: neither may remove what the other has checked.
        lock (_byAge)
        {
            var time = _connection.Options.TimeProvider;
            while (_byAge.TryPeek(out var oldest)
                && (!_waiting.ContainsKey(oldest.Number)
                    || time.GetElapsedTime(oldest.SentAt) > JetStreamConnection.AnswerTimeout))
            {
                _byAge.TryDequeue(out _);
                if (_waiting.ContainsKey(oldest.Number) && oldest.Fail("no acknowledgement in time"))
                {
                    _connection.Counters.CountTimeout();
                }
            }
        }
    }

    private sealed class Append(long number, long sentAt)
    {
        public long Number => number;

        public long SentAt => sentAt;

        public bool HasFailed { get; private set; }

        public TaskCompletionSource<PubAckResponse> Outcome { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Refuse(string reason) => Outcome.TrySetException(new FrameLogException(reason));

        /// <summary>The append failed; its outcome is unknown.</summary>
        public bool Fail(string reason)
        {
            var isFirst = Outcome.TrySetException(new FrameLogException(reason));
            HasFailed |= isFirst;
            return isFirst;
        }
    }
}
