using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Hellos;

/// <summary>
/// Says hellos over one connection: a full one when there is something to ask, a short one every heartbeat, and a last
/// short one at a clean stop.
/// </summary>
internal sealed class HelloSender(
    IUplinkConnection connection, DeliveryTracker delivery, UplinkOptions options, TimeProvider time)
{
    private bool _onTheWay;
    private long _saidAt = time.GetTimestamp();

    /// <summary>How long until the next one is due.</summary>
    public TimeSpan UntilDue()
    {
        var heartbeat = options.Heartbeat - time.GetElapsedTime(_saidAt);
        var hello = _onTheWay ? options.AnswerTimeout : delivery.Hellos.UntilDue();
        return heartbeat < hello ? heartbeat : hello;
    }

    /// <summary>Says what is due; it goes up beside everything else.</summary>
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
                Routes.HelloTopic(delivery.Gateway), delivery.Hellos.Say(full), stop);
            if (!outcome.Accepted)
            {
                // No owner right now: the unanswered hello is said again after its time, with jitter by the pause.
                delivery.Status.Refusals++;
                if (full && outcome.ReasonCode == FrameSender.PayloadFormatInvalid)
                {
                    delivery.Hellos.Malformed();
                }
            }
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // The connection broke: the next one begins with a hello.
        }
        finally
        {
            _onTheWay = false;
            delivery.Wake.Set();
        }
    }

    /// <summary>
    /// On a clean stop the cloud learns the last accepted total, so that the books show what is still here.
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
                Routes.HelloTopic(delivery.Gateway), delivery.Hellos.Say(full: false), patience.Token);
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            // Not heard: the next start says it.
        }
    }
}
