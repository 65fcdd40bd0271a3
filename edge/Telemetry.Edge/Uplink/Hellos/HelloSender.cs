using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Hellos;

/// <summary>
/// Sends hellos over one connection: a full one when there is something to ask, a short one every heartbeat, and a last
/// short one at a clean stop.
/// </summary>
internal sealed class HelloSender(
    IUplinkConnection connection, DeliveryTracker delivery, UplinkOptions options, TimeProvider time)
{
    private bool _onTheWay;
    private long _saidAt = time.GetTimestamp();

    /// <summary>The time until the next one is due.</summary>
    public TimeSpan UntilDue()
    {
        var heartbeat = options.Heartbeat - time.GetElapsedTime(_saidAt);
        var hello = _onTheWay ? options.AnswerTimeout : delivery.Hellos.UntilDue();
        return heartbeat < hello ? heartbeat : hello;
    }

    /// <summary>Sends what is due; the publish runs beside everything else.</summary>
    public void SayIfDue(CancellationToken stop)
    {
        if (_onTheWay)
        {
            return;
        }

        if (delivery.Hellos.IsDue())
        {
            _ = SayAsync(full: true, stop);
        }
        else if (time.GetElapsedTime(_saidAt) >= options.Heartbeat)
        {
            _ = SayAsync(full: false, stop);
        }
    }

    private async Task SayAsync(bool full, CancellationToken stop)
    {
        _onTheWay = true;
        _saidAt = time.GetTimestamp();
        try
        {
            var outcome = await connection.PublishAsync(
                MqttTopics.Hello(delivery.Gateway), delivery.Hellos.Say(full), stop);
            if (!outcome.Accepted)
            {
                // The partition has no owner right now: the unanswered hello is repeated after its time, with the
                // jitter of the pause.
                delivery.Status.Refusals++;
                if (full && outcome.ReasonCode == FrameSender.PayloadFormatInvalid)
                {
                    delivery.Hellos.Malformed();
                }
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // The connection broke; the next one begins with a hello.
        }
        finally
        {
            _onTheWay = false;
            delivery.Wake.Set();
        }
    }

    /// <summary>
    /// On a clean stop, reports the last accepted total to the cloud, so that the books view shows what is still here.
    /// </summary>
    public async Task SayGoodbyeAsync(CancellationToken stopped)
    {
        if (!stopped.IsCancellationRequested || connection.Closed.IsCompleted)
        {
            return;
        }

        using var patience = new CancellationTokenSource(options.GoodbyeTimeout, time);
        try
        {
            await connection.PublishAsync(
                MqttTopics.Hello(delivery.Gateway), delivery.Hellos.Say(full: false), patience.Token);
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // Not delivered; the next start reports it.
        }
    }
}
