using Telemetry.Edge.Outbox;
using Telemetry.Edge.Tracing;
using Telemetry.Model;
using Telemetry.Model.Control;
using Telemetry.Model.Frames;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// Sends frames over one connection, and before them their schemas: in the order critical, live, backlog, at most so
/// many at a time, with half of the slots kept from backlog, and of backlog only what its window has room for. What is
/// refused makes everything wait a moment.
/// </summary>
internal sealed class FrameSender
{
    /// <summary>The reason code for what the cloud cannot read (MQTT 5.0, 3.4.2.1).</summary>
    public const byte PayloadFormatInvalid = 0x99;

    /// <summary>Schemas on their way together, in each lane.</summary>
    private const int SchemasAtOnce = 4;

    private readonly Outbox.Outbox _outbox;
    private readonly IUplinkConnection _connection;
    private readonly Delivery _delivery;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly bool[] _schemaOnTheWay = new bool[Lanes.Count];
    private readonly string[] _topics;
    private readonly LinkRate _rate;
    private int _inFlight;
    private int _backlogInFlight;
    private long _pausedUntil;

    public FrameSender(
        Outbox.Outbox outbox, IUplinkConnection connection, Delivery delivery, UplinkOptions options, TimeProvider time)
    {
        (_outbox, _connection, _delivery, _options, _time) = (outbox, connection, delivery, options, time);
        _topics = [.. Enumerable.Range(0, Lanes.Count).Select(lane => Routes.FrameTopic(delivery.Gateway, (Lane)lane))];
        _rate = new LinkRate(time);
        Window = new BacklogWindow(_rate, options, time);
        Slots = Math.Max(2, Math.Min(options.InFlightMax, connection.InFlightMax));
    }

    /// <summary>The most frames that are on their way at a time.</summary>
    public int Slots { get; }

    /// <summary>How many more frames of backlog may go on their way.</summary>
    public int BacklogSlots => (Slots / 2) - _backlogInFlight;

    /// <summary>How many bytes of backlog may.</summary>
    public BacklogWindow Window { get; }

    /// <summary>How long nothing is sent yet; negative when that is over.</summary>
    public TimeSpan PauseLeft =>
        TimeSpan.FromSeconds((_pausedUntil - _time.GetTimestamp()) / (double)_time.TimestampFrequency);

    /// <summary>True while nothing is sent.</summary>
    public bool IsPaused => _time.GetTimestamp() < _pausedUntil;

    /// <summary>What made the outbox fail.</summary>
    public OutboxException? Failure { get; private set; }

    /// <summary>Sends what there are slots for; it goes up beside everything else.</summary>
    public void SendWhatFits(CancellationToken stop)
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog && !IsPaused; lane++)
        {
            if (lane == Lane.Live && _delivery.Queues.Peek(lane) is null && _outbox.Schemas.Count > 0)
            {
                // Live data will come: it need not wait for its schemas then, a round trip each.
                _ = TrySendSchemas(lane, _outbox.Schemas[^1].Message.Id, stop);
            }

            while (_inFlight < Slots && !_schemaOnTheWay[(int)lane] && _delivery.Queues.Peek(lane) is { } frame
                && (lane != Lane.Backlog || (BacklogSlots > 0 && Window.Takes(frame.Bytes))))
            {
                if (TrySendSchemas(lane, frame.Schema, stop))
                {
                    break;
                }

                _delivery.Queues.Take(lane);
                _ = SendAsync(frame, stop);
            }
        }
    }

    private bool TrySendSchemas(Lane lane, SchemaId schema, CancellationToken stop)
    {
        if (_schemaOnTheWay[(int)lane] || _delivery.Schemas.Missing(lane, schema, _outbox.Schemas) is not
            { Count: > 0 } missing)
        {
            return false;
        }

        _ = SendSchemasAsync(lane, missing, stop);
        return true;
    }

    /// <summary>
    /// The lane waits until its schemas stand in the log: no frame comes before them. They are sent in their order, a
    /// few at a time, so that a long chain does not cost a round trip for each. The log may take a child before its
    /// parent then, when it was out of reach for a moment; the processor lets it wait for the parent.
    /// </summary>
    private async Task SendSchemasAsync(Lane lane, IReadOnlyList<SchemaMessage> schemas, CancellationToken stop)
    {
        _schemaOnTheWay[(int)lane] = true;
        try
        {
            foreach (var some in schemas.Chunk(SchemasAtOnce))
            {
                var outcomes = await Task.WhenAll([.. some.Select(s => SendAsync(lane, s, stop))]);
                foreach (var (schema, outcome) in some.Zip(outcomes))
                {
                    if (!outcome.Accepted)
                    {
                        PauseFor(outcome);
                        return;
                    }

                    _delivery.Schemas.Add(lane, schema.Id);
                }
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

    private async Task<PublishOutcome> SendAsync(Lane lane, SchemaMessage schema, CancellationToken stop)
    {
        var writer = new WireWriter();
        new Model.Frames.Delivery(NowMicros(), _delivery.SchemaAttempt()).Write(writer);
        schema.Write(writer, lane);
        return await PublishAsync(_topics[(int)lane], writer.ToArray(), stop);
    }

    private async Task SendAsync(HeldFrame frame, CancellationToken stop)
    {
        var backlog = frame.Key.Lane == Lane.Backlog;
        frame.State = DeliveryState.Sending;
        _delivery.Status.InFlight = ++_inFlight;
        _backlogInFlight += backlog ? 1 : 0;
        if (backlog)
        {
            Window.Sent(frame.Bytes);
        }

        try
        {
            if (await _outbox.ReadAsync(frame, stop) is { } bytes && !frame.Freed)
            {
                CrashPoint.Reach("before-send");
                frame.SentAtTimestamp = _time.GetTimestamp();
                _delivery.Status.FramesSent++;
                await TakeOutcomeAsync(frame, bytes, await PublishAsync(frame, bytes, stop), stop);
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // Nobody knows whether it arrived: it is sent again under the same attempt, by the next connection if this
            // broke.
            frame.ReachedLog = true;
            if (!_connection.Closed.IsCompleted && !stop.IsCancellationRequested)
            {
                PauseFor(new PublishOutcome(0x83, null, e.Message));
                _delivery.Queues.Add(frame);
            }
        }
        catch (OutboxException e) when (e.IsUndone)
        {
            // The disk cannot be read at this moment: the frame waits. The outbox' standing says why.
            Pause();
            _delivery.Queues.Add(frame);
        }
        catch (OutboxException e)
        {
            Failure = e;
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
            if (backlog)
            {
                Window.Left(frame.Bytes);
            }

            _delivery.Wake.Set();
        }
    }

    private async ValueTask<PublishOutcome> PublishAsync(
        HeldFrame frame, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var (topic, started) = (_topics[(int)frame.Key.Lane], frame.SentAtTimestamp);
        try
        {
            var outcome = await PublishAsync(topic, Payload(frame, bytes), stop);
            EdgeTracing.Sent(_delivery.Gateway, frame, topic, outcome, started, _time);
            return outcome;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            EdgeTracing.Unanswered(_delivery.Gateway, frame, topic, e.Message, started, _time);
            throw;
        }
    }

    /// <summary>Publishes, and measures the link by the time until the PUBACK, whatever that says.</summary>
    private async ValueTask<PublishOutcome> PublishAsync(string topic, byte[] payload, CancellationToken stop)
    {
        var pass = _rate.Sent(payload.Length, Window.IsFull);
        try
        {
            var outcome = await _connection.PublishAsync(topic, payload, stop);
            _rate.Acknowledged(pass);
            return outcome;
        }
        catch
        {
            _rate.GivenUp(pass);
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

    private async Task TakeOutcomeAsync(
        HeldFrame frame, ReadOnlyMemory<byte> bytes, PublishOutcome outcome, CancellationToken stop)
    {
        if (outcome.Accepted)
        {
            frame.ReachedLog = true;
            _delivery.Acknowledged(frame, Receipt.TryParse(outcome.Receipt, out var receipt) ? receipt : null);
            return;
        }

        PauseFor(outcome);
        if (outcome.ReasonCode == PayloadFormatInvalid)
        {
            _delivery.Status.FramesRefused++;
            var version = FrameReader.Header(bytes.Span, out _).Version;
            if (version > _outbox.FrameVersion)
            {
                // Perhaps no fault of its own: this cloud was put back, or has not said yet what it reads. It waits,
                // whole, for an answer that allows it or for the next connection.
                _delivery.Queues.Keep(frame, version);
                return;
            }

            frame.Refusals++;
            if (frame.Refusals >= _options.RefusalsMax && !frame.ReachedLog && !frame.Freed)
            {
                _delivery.Quarantined(frame);
                await _outbox.QuarantineAsync(frame, outcome.Reason ?? "refused", stop);
                return;
            }
        }

        _delivery.Queues.Add(frame);
    }

    /// <summary>
    /// Refused for load, rights or content: everything waits a moment, so that a refusal never becomes a storm.
    /// </summary>
    private void PauseFor(PublishOutcome outcome)
    {
        _delivery.Refused(outcome);
        Pause();
    }

    private void Pause()
    {
        var seconds = _options.BackoffMin.TotalSeconds * (1 + _delivery.Random.NextDouble());
        _pausedUntil = _time.GetTimestamp() + (long)(seconds * _time.TimestampFrequency);
    }

    private long NowMicros() =>
        (_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
