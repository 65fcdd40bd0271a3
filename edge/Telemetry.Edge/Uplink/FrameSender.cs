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
/// many at a time, with half of the slots kept from backlog. What is refused makes everything wait a moment.
/// </summary>
internal sealed class FrameSender(
    Outbox.Outbox outbox, IUplinkConnection connection, Delivery delivery, UplinkOptions options, TimeProvider time)
{
    /// <summary>The reason code for what the cloud cannot read (MQTT 5.0, 3.4.2.1).</summary>
    public const byte PayloadFormatInvalid = 0x99;

    private readonly bool[] _schemaOnTheWay = new bool[Lanes.Count];
    private readonly string[] _topics =
        [.. Enumerable.Range(0, Lanes.Count).Select(lane => Routes.FrameTopic(delivery.Gateway, (Lane)lane))];

    private int _inFlight;
    private int _backlogInFlight;
    private long _pausedUntil;

    /// <summary>The most frames that are on their way at a time.</summary>
    public int Slots { get; } = Math.Max(2, Math.Min(options.InFlightMax, connection.InFlightMax));

    /// <summary>How many more frames of backlog may go on their way.</summary>
    public int BacklogRoom => (Slots / 2) - _backlogInFlight;

    /// <summary>How fast frames go through.</summary>
    public LinkRate Rate { get; } = new(time);

    /// <summary>How long nothing is sent yet; negative when that is over.</summary>
    public TimeSpan PauseLeft =>
        TimeSpan.FromSeconds((_pausedUntil - time.GetTimestamp()) / (double)time.TimestampFrequency);

    /// <summary>True while nothing is sent.</summary>
    public bool IsPaused => time.GetTimestamp() < _pausedUntil;

    /// <summary>What made the outbox fail.</summary>
    public OutboxException? Failure { get; private set; }

    /// <summary>Sends what there are slots for; it goes up beside everything else.</summary>
    public void SendWhatFits(CancellationToken stop)
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog && !IsPaused; lane++)
        {
            while (_inFlight < Slots && (lane != Lane.Backlog || BacklogRoom > 0)
                && !_schemaOnTheWay[(int)lane] && delivery.Queues.Peek(lane) is { } frame)
            {
                var missing = delivery.Schemas.Missing(lane, frame.Schema, outbox.Schemas);
                if (missing.Count > 0)
                {
                    _ = SendSchemasAsync(lane, missing, stop);
                    break;
                }

                delivery.Queues.Take(lane);
                _ = SendAsync(frame, stop);
            }
        }
    }

    /// <summary>The lane waits until its schemas stand in the log, so that no frame comes before them.</summary>
    private async Task SendSchemasAsync(Lane lane, IReadOnlyList<SchemaMessage> schemas, CancellationToken stop)
    {
        _schemaOnTheWay[(int)lane] = true;
        try
        {
            foreach (var schema in schemas)
            {
                var writer = new WireWriter();
                new Model.Frames.Delivery(NowMicros(), delivery.SchemaAttempt()).Write(writer);
                schema.Write(writer, lane);
                var outcome = await connection.PublishAsync(_topics[(int)lane], writer.ToArray(), stop);
                if (!outcome.Accepted)
                {
                    PauseFor(outcome);
                    return;
                }

                delivery.Schemas.Add(lane, schema.Id);
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // The connection broke: the next one sends them again.
        }
        finally
        {
            _schemaOnTheWay[(int)lane] = false;
            delivery.Wake.Set();
        }
    }

    private async Task SendAsync(HeldFrame frame, CancellationToken stop)
    {
        var backlog = frame.Key.Lane == Lane.Backlog;
        frame.State = DeliveryState.Sending;
        delivery.Status.InFlight = ++_inFlight;
        _backlogInFlight += backlog ? 1 : 0;
        try
        {
            if (await outbox.ReadAsync(frame, stop) is { } bytes && !frame.Freed)
            {
                CrashPoint.Reach("before-send");
                frame.SentAtTimestamp = time.GetTimestamp();
                delivery.Status.FramesSent++;
                await TakeOutcomeAsync(frame, bytes, await PublishAsync(frame, bytes, stop), stop);
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // Nobody knows whether it arrived: it is sent again under the same attempt, by the next connection if this
            // broke.
            frame.ReachedLog = true;
            if (!connection.Closed.IsCompleted && !stop.IsCancellationRequested)
            {
                PauseFor(new PublishOutcome(0x83, null, e.Message));
                delivery.Queues.Add(frame);
            }
        }
        catch (OutboxException e) when (e.IsUndone)
        {
            // The disk cannot be read at this moment: the frame waits. The outbox' standing says why.
            Pause();
            delivery.Queues.Add(frame);
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
            delivery.Unreadable(frame, e);
        }
        finally
        {
            delivery.Status.InFlight = --_inFlight;
            _backlogInFlight -= backlog ? 1 : 0;
            delivery.Wake.Set();
        }
    }

    private async ValueTask<PublishOutcome> PublishAsync(
        HeldFrame frame, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var (topic, started) = (_topics[(int)frame.Key.Lane], frame.SentAtTimestamp);
        try
        {
            var outcome = await connection.PublishAsync(topic, Payload(frame, bytes), stop);
            Rate.Took(bytes.Length, frame.Key.Count, started);
            EdgeTracing.Sent(delivery.Gateway, frame, topic, outcome, started, time);
            return outcome;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            EdgeTracing.Unanswered(delivery.Gateway, frame, topic, e.Message, started, time);
            throw;
        }
    }

    private byte[] Payload(HeldFrame frame, ReadOnlyMemory<byte> bytes)
    {
        var writer = new WireWriter(Model.Frames.Delivery.BytesMax + bytes.Length);
        new Model.Frames.Delivery(NowMicros(), delivery.Attempt(frame)).Write(writer);
        writer.Bytes(bytes.Span);
        return writer.ToArray();
    }

    private async Task TakeOutcomeAsync(
        HeldFrame frame, ReadOnlyMemory<byte> bytes, PublishOutcome outcome, CancellationToken stop)
    {
        if (outcome.Accepted)
        {
            frame.ReachedLog = true;
            delivery.Acknowledged(frame, Receipt.TryParse(outcome.Receipt, out var receipt) ? receipt : null);
            return;
        }

        PauseFor(outcome);
        if (outcome.ReasonCode == PayloadFormatInvalid)
        {
            delivery.Status.FramesRefused++;
            if (FrameReader.Header(bytes.Span, out _).Version > outbox.FrameVersion)
            {
                // No fault of its own: this cloud was put back. It waits, whole, for the next connection.
                frame.State = DeliveryState.ToSend;
                return;
            }

            frame.Refusals++;
            if (frame.Refusals >= options.RefusalsMax && !frame.ReachedLog && !frame.Freed)
            {
                delivery.Quarantined(frame);
                await outbox.QuarantineAsync(frame, outcome.Reason ?? "refused", stop);
                return;
            }
        }

        delivery.Queues.Add(frame);
    }

    /// <summary>
    /// Refused for load, rights or content: everything waits a moment, so that a refusal never becomes a storm.
    /// </summary>
    private void PauseFor(PublishOutcome outcome)
    {
        delivery.Refused(outcome);
        Pause();
    }

    private void Pause()
    {
        var seconds = options.BackoffMin.TotalSeconds * (1 + delivery.Random.NextDouble());
        _pausedUntil = time.GetTimestamp() + (long)(seconds * time.TimestampFrequency);
    }

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
