using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Runtime;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// Sends frames over one connection, each after its schema is in its stream: in the order critical, live, backlog, with
/// a limited number in flight, half of the slots reserved for the other lanes, and only as much backlog as its window
/// allows. A refusal makes everything pause for a moment.
/// </summary>
internal sealed class FrameSender
{
    /// <summary>The reason code for a payload that the cloud cannot read (MQTT 5.0, 3.4.2.1).</summary>
    public const byte PayloadFormatInvalid = 0x99;

    private readonly ReadingOutbox _outbox;
    private readonly DeliveryTracker _delivery;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly SharedLink _link;
    private readonly SchemaSender _schemas;
    private readonly string[] _topics;

    public FrameSender(
        ReadingOutbox outbox, SharedLink link, DeliveryTracker delivery, UplinkOptions options, TimeProvider time)
    {
        (_outbox, _link, _delivery, _options, _time) = (outbox, link, delivery, options, time);
        _schemas = new SchemaSender(link, delivery, time);
        _topics = [.. Enumerable.Range(0, Lanes.Count).Select(lane => MqttTopics.Frames(delivery.Gateway, (Lane)lane))];
    }

    /// <summary>The error that made the outbox fail.</summary>
    public OutboxException? Failure { get; private set; }

    /// <summary>
    /// Sends frames while there are slots; the publishes run beside everything else. A frame waits until its own schema
    /// is in its stream, and for no later schema.
    /// </summary>
    public void SendWhatFits(CancellationToken stop)
    {
        SendFrames(Lane.Critical, stop);
        SendFrames(Lane.Live, stop);
        _schemas.SendWhatFits(StreamKind.Live, stop);
        SendFrames(Lane.Backlog, stop);
        _schemas.SendWhatFits(StreamKind.Backlog, stop);
    }

    private void SendFrames(Lane lane, CancellationToken stop)
    {
        while (_delivery.Queues.Peek(lane) is { } frame && _link.Takes(lane == Lane.Backlog, frame.Bytes)
            && _delivery.Schemas.IsReady(lane.Stream(), frame.Schema))
        {
            _delivery.Queues.Take(lane);
            _ = SendAsync(frame, stop);
        }
    }

    private async Task SendAsync(HeldFrame frame, CancellationToken stop)
    {
        var backlog = frame.Key.Lane == Lane.Backlog;
        frame.State = DeliveryState.Sending;
        _delivery.Status.InFlight++;
        _link.Begin(backlog, frame.Bytes);
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
            // It is unknown whether the frame arrived. It is sent again under the same attempt, by the next connection
            // if this one broke.
            frame.ReachedLog = true;
            if (!_link.IsClosed && !stop.IsCancellationRequested)
            {
                _link.PauseFor(new PublishOutcome(0x83, null, e.Message));
                _delivery.Queues.Add(frame);
            }
        }
        catch (OutboxException e) when (e.IsUndone)
        {
            // The disk cannot be read at this moment: the frame waits. The outbox' standing tells why.
            _link.Pause();
            _delivery.Queues.Add(frame);
        }
        catch (OutboxException e)
        {
            Failure = e;
        }
        catch (WireFormatException e)
        {
            // The cloud refused it, and it cannot be read here either: it is kept and shown, and this process does not
            // send it again.
            frame.IsUnreadable = true;
            _delivery.Unreadable(frame, e);
        }
        finally
        {
            _delivery.Status.InFlight--;
            _link.End(backlog, frame.Bytes);
            _delivery.Wake.Set();
        }
    }

    private async ValueTask<PublishOutcome> PublishAsync(
        HeldFrame frame, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        var (topic, started) = (_topics[(int)frame.Key.Lane], frame.SentAtTimestamp);
        try
        {
            var outcome = await _link.PublishAsync(topic, Payload(frame, bytes), stop);
            UplinkTracing.Sent(_delivery.Gateway, frame, topic, outcome, started, _time);
            return outcome;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            UplinkTracing.Unanswered(_delivery.Gateway, frame, topic, e.Message, started, _time);
            throw;
        }
    }

    private byte[] Payload(HeldFrame frame, ReadOnlyMemory<byte> bytes)
    {
        var writer = new WireWriter(FrameEnvelope.BytesMax + bytes.Length);
        _link.Head(_delivery.Attempt(frame)).Write(writer);
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

        _link.PauseFor(outcome);
        if (outcome.ReasonCode == PayloadFormatInvalid)
        {
            _delivery.Status.FramesRefused++;
            var version = FrameReader.Header(bytes.Span, out _).Version;
            if (version > _outbox.FrameVersion)
            {
                // Perhaps not a fault of the frame: this cloud was restored, or has not told yet which version it
                // reads. The frame waits unchanged for an answer that allows it, or for the next connection.
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
}
