using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// Sends schemas over one connection: those of LIVE as soon as they are made, because live data will follow, and those
/// of BACKLOG that are in LIVE and that the next frame needs. They are sent in order, as many at a time as the link
/// carries in a short time by its measured rate. If the log was out of reach for a moment, it may receive a child
/// before its parent; the processor then lets the child wait.
/// </summary>
internal sealed class SchemaSender(SharedLink link, DeliveryTracker delivery, TimeProvider time)
{
    // About the bytes of attempt, parent, checksum and lengths.
    private const int HeadBytes = 48;

    // They may reach the log in another order, and the cloud lets this many messages of a gateway wait.
    private const int AtOnceMax = 32;

    // The most bytes sent before anything is known of the link: some schemas of a few series, sent needlessly if the
    // first answer shows that they are known.
    private const int WindowBytesMin = 2304;

    // The longest time that a live frame which needs none of them waits behind them.
    private static readonly TimeSpan Standing = TimeSpan.FromMilliseconds(250);

    private readonly GrowingWindow _live = new(link.Rate, WindowBytesMin, Standing);
    private int _onTheWay;

    /// <summary>Sends schemas while there is room; the publishes run beside everything else.</summary>
    public void SendWhatFits(StreamKind stream, CancellationToken stop)
    {
        var isBacklog = stream == StreamKind.Backlog;
        var until = Until(stream);
        while (delivery.Schemas.Next(stream, until) is { } schema)
        {
            var bytes = schema.Additions.Length + HeadBytes;
            if (_onTheWay == AtOnceMax || !link.Takes(isBacklog, bytes) || !(isBacklog || _live.Takes(bytes)))
            {
                break;
            }

            _ = SendAsync(delivery.Schemas.Take(stream), schema, bytes, stop);
        }
    }

    private int Until(StreamKind stream)
    {
        if (stream == StreamKind.Live)
        {
            return delivery.Schemas.Last;
        }

        var needed = delivery.Queues.Peek(Lane.Backlog) is { } frame ? delivery.Schemas.StepOf(frame.Schema) : 0;
        return Math.Min(needed, delivery.Schemas.ReadyTo(StreamKind.Live));
    }

    private async Task SendAsync(SchemaPass pass, SchemaMessage schema, int bytes, CancellationToken stop)
    {
        var isBacklog = pass.Stream == StreamKind.Backlog;
        Begin(isBacklog, bytes);
        var accepted = false;
        try
        {
            var lane = isBacklog ? Lane.Backlog : Lane.Live;
            var outcome = await link.PublishAsync(
                MqttTopics.Frames(delivery.Gateway, lane), Payload(schema, lane), stop);
            accepted = outcome.Accepted;
            if (accepted)
            {
                Receipt? receipt = Receipt.TryParse(outcome.Receipt, out var known) ? known : null;
                delivery.Schemas.Accepted(pass, receipt, delivery.Hellos.Number, time.GetTimestamp());
            }
            else
            {
                link.PauseFor(outcome);
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // The connection broke: the next one sends it again.
            if (!link.IsClosed && !stop.IsCancellationRequested)
            {
                link.PauseFor(new PublishOutcome(0x83, null, e.Message));
            }
        }
        finally
        {
            if (!accepted)
            {
                delivery.Schemas.Failed(pass);
            }

            End(isBacklog, bytes);
            delivery.Wake.Set();
        }
    }

    private byte[] Payload(SchemaMessage schema, Lane lane)
    {
        var writer = new WireWriter();
        link.Head(delivery.SchemaAttempt()).Write(writer);
        schema.Write(writer, lane);
        return writer.ToArray();
    }

    private void Begin(bool isBacklog, int bytes)
    {
        _onTheWay++;
        link.Begin(isBacklog, bytes);
        if (!isBacklog)
        {
            _live.Sent(bytes);
        }
    }

    private void End(bool isBacklog, int bytes)
    {
        _onTheWay--;
        link.End(isBacklog, bytes);
        if (!isBacklog)
        {
            _live.Left(bytes);
        }
    }
}
