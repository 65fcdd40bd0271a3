namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// Decides when a connection needs a PINGREQ, and when it counts as lost. On a slow link an answer may take long,
/// behind the bytes that were sent before: as long as bytes move in either direction, the connection is not lost.
/// </summary>
/// <param name="Period">Silence in one direction after which a PINGREQ is sent.</param>
/// <param name="AnswerTimeout">Time after a PINGREQ within which something must move.</param>
internal sealed record KeepAlive(TimeSpan Period, TimeSpan AnswerTimeout)
{
    /// <summary>
    /// When to act next, on the time axis of <paramref name="activity"/>: to send a PINGREQ or, if the one sent at
    /// <paramref name="pingedAt"/> is unanswered, to give up the connection.
    /// </summary>
    public TimeSpan Due(in LinkActivity activity, TimeSpan? pingedAt) => pingedAt is { } since
        ? Later(since, Later(activity.Received, activity.Written)) + AnswerTimeout
        : Earlier(activity.Sending, activity.Received) + Period;

    /// <summary>
    /// Sends PINGREQs until the connection is lost (then it returns) or until it is cancelled. <paramref name="ping"/>
    /// completes with the PINGRESP.
    /// </summary>
    public async Task WatchAsync(
        MqttStream stream, Func<Task> ping, TimeProvider time, CancellationToken cancellationToken)
    {
        var (pinging, pingedAt) = (Task.CompletedTask, (TimeSpan?)null);
        while (true)
        {
            if (pinging.IsCompleted)
            {
                await pinging;
                pingedAt = null;
            }

            var left = Due(stream.Activity, pingedAt) - stream.Now;
            if (left > TimeSpan.Zero)
            {
                // A delay is truncated to whole milliseconds: a remainder below one would be no delay.
                var wait = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
                await Task.Delay(wait, time, cancellationToken);
            }
            else if (pingedAt is null)
            {
                (pinging, pingedAt) = (ping(), stream.Now);
            }
            else
            {
                return;
            }
        }
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
