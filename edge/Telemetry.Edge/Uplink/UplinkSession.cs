using Telemetry.Edge.Outbox;
using Telemetry.Edge.Tracing;
using Telemetry.Model;
using Telemetry.Model.Control;
using Telemetry.Model.Frames;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// One connection's work: hellos, frames in the order critical, live, backlog with half of the slots kept for live, and
/// what comes down. Ends when the connection is closed.
/// </summary>
internal sealed class UplinkSession
{
    /// <summary>The reason code for what the cloud cannot read (MQTT 5.0, 3.4.2.1).</summary>
    public const byte PayloadFormatInvalid = 0x99;

    private const int BacklogReadingsMin = 256;

    private readonly Outbox.Outbox _outbox;
    private readonly IUplinkConnection _connection;
    private readonly Delivery _delivery;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly int _slots;
    private readonly bool[] _schemaOnTheWay = new bool[Lanes.Count];
    private readonly string[] _topics = new string[Lanes.Count];
    private readonly LinkRate _rate;
    private readonly HelloSpeaker _hellos;
    private CancellationToken _stop;
    private int _inFlight;
    private int _backlogInFlight;
    private long _pausedUntil;
    private OutboxException? _failure;

    public UplinkSession(
        Outbox.Outbox outbox, IUplinkConnection connection, Delivery delivery, UplinkOptions options, TimeProvider time)
    {
        (_outbox, _connection, _delivery, _options, _time) = (outbox, connection, delivery, options, time);
        _slots = Math.Max(2, Math.Min(options.InFlightMax, connection.InFlightMax));
        _rate = new LinkRate(time);
        _hellos = new HelloSpeaker(connection, delivery, options, time);
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            _topics[(int)lane] = Routes.FrameTopic(delivery.Gateway, lane);
        }
    }

    /// <summary>Works until the connection closes; throws what made the outbox fail.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _stop = ended.Token;
        _delivery.Begin();
        var down = ReadDownAsync();
        var closed = WatchAsync();
        try
        {
            while (!_connection.Closed.IsCompleted && _failure is null)
            {
                KeepLiveLive();
                _hellos.SayIfDue(_stop);
                SendWhatFits();
                SealBacklogIfRoom();
                await _delivery.Wake.WaitAsync(UntilDue(), _time, cancellationToken);
            }
        }
        finally
        {
            await _hellos.SayGoodbyeAsync(cancellationToken);
            ended.Cancel(); // CancelAsync would leave this thread.
            await down;
            await closed;
        }

        if (_failure is not null)
        {
            throw _failure;
        }
    }

    private TimeSpan UntilDue()
    {
        var due = _hellos.UntilDue();
        var pause = TimeSpan.FromSeconds((_pausedUntil - _time.GetTimestamp()) / (double)_time.TimestampFrequency);
        var wait = pause > TimeSpan.Zero && pause < due
            ? pause : due > TimeSpan.Zero ? due : TimeSpan.FromMilliseconds(10);

        // A delay is cut to whole milliseconds: a rest of one would be no delay, again and again until it is over.
        return TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
    }

    /// <summary>
    /// Where live frames pile up (the cloud withholds its PUBACKs), what comes next waits unsealed and goes up as
    /// backlog, so that live data stays live.
    /// </summary>
    private void KeepLiveLive()
    {
        var waiting = _delivery.Queues.Count(Lane.Live);
        _outbox.LinkUp = waiting <= _slots || (_outbox.LinkUp && waiting <= 2 * _slots);
    }

    private bool Paused => _time.GetTimestamp() < _pausedUntil;

    private void SendWhatFits()
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog && !Paused; lane++)
        {
            while (_inFlight < _slots && (lane != Lane.Backlog || _backlogInFlight < _slots / 2)
                && !_schemaOnTheWay[(int)lane] && _delivery.Queues.Peek(lane) is { } frame)
            {
                var missing = _delivery.Schemas.Missing(lane, frame.Schema, _outbox.Schemas);
                if (missing.Count > 0)
                {
                    _ = SendSchemasAsync(lane, missing);
                    break;
                }

                _delivery.Queues.Take(lane);
                _ = SendAsync(frame);
            }
        }
    }

    /// <summary>The lane waits until its schemas stand in the log, so that no frame comes before them.</summary>
    private async Task SendSchemasAsync(Lane lane, IReadOnlyList<SchemaMessage> schemas)
    {
        _schemaOnTheWay[(int)lane] = true;
        try
        {
            foreach (var schema in schemas)
            {
                var writer = new WireWriter();
                new Model.Frames.Delivery(NowMicros(), _delivery.SchemaAttempt()).Write(writer);
                schema.Write(writer, lane);
                var outcome = await _connection.PublishAsync(_topics[(int)lane], writer.ToArray(), _stop);
                if (!outcome.Accepted)
                {
                    Pause(outcome);
                    return;
                }

                _delivery.Schemas.Add(lane, schema.Id);
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // The connection broke: the next one sends them again.
        }
        finally
        {
            _schemaOnTheWay[(int)lane] = false;
            _delivery.Wake.Set();
        }
    }

    private async Task SendAsync(HeldFrame frame)
    {
        var backlog = frame.Key.Lane == Lane.Backlog;
        frame.State = DeliveryState.Sending;
        _delivery.Status.InFlight = ++_inFlight;
        _backlogInFlight += backlog ? 1 : 0;
        try
        {
            if (await _outbox.ReadAsync(frame, _stop) is { } bytes && !frame.Freed)
            {
                CrashPoint.Reach("before-send");
                frame.SentAtTimestamp = _time.GetTimestamp();
                _delivery.Status.FramesSent++;
                await TakeOutcomeAsync(frame, bytes, await PublishAsync(frame, bytes));
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // Nobody knows whether it arrived: it is sent again under the same attempt, by the next connection if this
            // broke.
            frame.ReachedLog = true;
            if (!_connection.Closed.IsCompleted && !_stop.IsCancellationRequested)
            {
                Pause(new PublishOutcome(0x83, null, e.Message));
                _delivery.Queues.Add(frame);
            }
        }
        catch (OutboxException e)
        {
            _failure = e;
        }
        catch (WireFormatException e)
        {
            // Refused by the cloud, and not readable here either: it stays, shown, and is not sent again by this
            // process.
            frame.Forked = true;
            _delivery.Unreadable(frame, e);
        }
        finally
        {
            _delivery.Status.InFlight = --_inFlight;
            _backlogInFlight -= backlog ? 1 : 0;
            _delivery.Wake.Set();
        }
    }

    private async ValueTask<PublishOutcome> PublishAsync(HeldFrame frame, ReadOnlyMemory<byte> bytes)
    {
        var (topic, started) = (_topics[(int)frame.Key.Lane], frame.SentAtTimestamp);
        try
        {
            var outcome = await _connection.PublishAsync(topic, Payload(frame, bytes), _stop);
            _rate.Took(bytes.Length, frame.Key.Count, started);
            EdgeTracing.Sent(_delivery.Gateway, frame, topic, outcome, started, _time);
            return outcome;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            EdgeTracing.Unanswered(_delivery.Gateway, frame, topic, e.Message, started, _time);
            throw;
        }
    }

    private byte[] Payload(HeldFrame frame, ReadOnlyMemory<byte> bytes)
    {
        var writer = new WireWriter(Model.Frames.Delivery.BytesMax + bytes.Length);
        new Model.Frames.Delivery(NowMicros(), _delivery.Attempt(frame)).Write(writer);
        writer.Bytes(bytes.Span);
        return writer.ToArray();
    }

    private async Task TakeOutcomeAsync(HeldFrame frame, ReadOnlyMemory<byte> bytes, PublishOutcome outcome)
    {
        if (outcome.Accepted)
        {
            frame.ReachedLog = true;
            _delivery.Acknowledged(frame, Receipt.TryParse(outcome.Receipt, out var receipt) ? receipt : null);
            return;
        }

        Pause(outcome);
        if (outcome.ReasonCode == PayloadFormatInvalid)
        {
            _delivery.Status.FramesRefused++;
            if (FrameReader.Header(bytes.Span, out _).Version > _outbox.FrameVersion)
            {
                // No fault of its own: this cloud was put back. It waits, whole, for the next connection.
                frame.State = DeliveryState.ToSend;
                return;
            }

            frame.Refusals++;
            if (frame.Refusals >= _options.RefusalsMax && !frame.ReachedLog && !frame.Freed)
            {
                _delivery.Quarantined(frame);
                await _outbox.QuarantineAsync(frame, outcome.Reason ?? "refused", _stop);
                return;
            }
        }

        _delivery.Queues.Add(frame);
    }

    /// <summary>
    /// Refused for load, rights or content: everything waits a moment, so that a refusal never becomes a storm.
    /// </summary>
    private void Pause(PublishOutcome outcome)
    {
        _delivery.Refused(outcome);
        var seconds = _options.BackoffMin.TotalSeconds * (1 + _delivery.Random.NextDouble());
        _pausedUntil = _time.GetTimestamp() + (long)(seconds * _time.TimestampFrequency);
    }

    private void SealBacklogIfRoom()
    {
        var room = _slots / 2 - _backlogInFlight;
        if (!_delivery.Sealing && room > 0 && !Paused && _outbox.UnsealedReadings > 0
            && _delivery.Queues.Peek(Lane.Backlog) is null)
        {
            _ = SealBacklogAsync(room);
        }
    }

    private async Task SealBacklogAsync(int framesMax)
    {
        _delivery.Sealing = true;
        try
        {
            var readings = Math.Max(BacklogReadingsMin, _rate.Readings(_options.BacklogFrameTime));
            if (await _outbox.SealBacklogAsync(framesMax, readings, _stop) == 0)
            {
                // Nothing could be sealed just now (it is being committed): not again at once.
                await Task.Delay(_options.BackoffMin, _time, _stop);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The session ends.
        }
        catch (OutboxException e)
        {
            _failure = e;
        }
        finally
        {
            _delivery.Sealing = false;
            _delivery.Wake.Set();
        }
    }

    private async Task ReadDownAsync()
    {
        try
        {
            while (await _connection.Down.WaitToReadAsync(_stop))
            {
                while (_connection.Down.TryRead(out var message))
                {
                    _delivery.Take(message.Span);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The session ends.
        }
    }

    private async Task WatchAsync()
    {
        // A delay that is cancelled would hand this on to the pool.
        var stopped = new TaskCompletionSource();
        await using var registration = _stop.UnsafeRegister(
            static s => ((TaskCompletionSource)s!).TrySetResult(), stopped);
        await Task.WhenAny(_connection.Closed, stopped.Task);
        _delivery.Wake.Set();
    }

    private long NowMicros() =>
        (_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
