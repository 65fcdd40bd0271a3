using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// One connection as frames and schemas share it: its slots, its measured rate, the window of backlog, and the pause
/// that a refusal makes for all.
/// </summary>
internal sealed class SharedLink
{
    private readonly IUplinkConnection _connection;
    private readonly DeliveryTracker _delivery;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private long _pausedUntil;

    public SharedLink(IUplinkConnection connection, DeliveryTracker delivery, UplinkOptions options, TimeProvider time)
    {
        (_connection, _delivery, _options, _time) = (connection, delivery, options, time);
        Rate = new LinkRate(time);
        Backlog = new BacklogWindow(Rate, options, time);
        Slots = Math.Max(2, Math.Min(options.InFlightMax, connection.InFlightMax));
    }

    /// <summary>What the link was seen to carry.</summary>
    public LinkRate Rate { get; }

    /// <summary>How many bytes of backlog may be on the way.</summary>
    public BacklogWindow Backlog { get; }

    /// <summary>The most messages that are on their way at a time.</summary>
    public int Slots { get; }

    /// <summary>Messages on their way.</summary>
    public int InFlight { get; set; }

    /// <summary>Of these, backlog.</summary>
    public int BacklogInFlight { get; set; }

    /// <summary>How many more messages of backlog may go on their way.</summary>
    public int BacklogSlots => (Slots / 2) - BacklogInFlight;

    /// <summary>True when a message of a lane, of so many bytes, may go on its way.</summary>
    public bool Takes(bool isBacklog, int payloadBytes) => !IsPaused && InFlight < Slots
        && (!isBacklog || (BacklogSlots > 0 && Backlog.Takes(payloadBytes)));

    /// <summary>True once the connection is gone.</summary>
    public bool IsClosed => _connection.Closed.IsCompleted;

    /// <summary>True while nothing is sent.</summary>
    public bool IsPaused => _time.GetTimestamp() < _pausedUntil;

    /// <summary>How long nothing is sent yet; negative when that is over.</summary>
    public TimeSpan PauseLeft =>
        TimeSpan.FromSeconds((_pausedUntil - _time.GetTimestamp()) / (double)_time.TimestampFrequency);

    /// <summary>A message takes a slot until <see cref="End"/>.</summary>
    public void Begin(bool isBacklog, int payloadBytes)
    {
        InFlight++;
        if (isBacklog)
        {
            BacklogInFlight++;
            Backlog.Sent(payloadBytes);
        }
    }

    /// <summary>Its slot is free again.</summary>
    public void End(bool isBacklog, int payloadBytes)
    {
        InFlight--;
        if (isBacklog)
        {
            BacklogInFlight--;
            Backlog.Left(payloadBytes);
        }
    }

    /// <summary>Publishes, and measures the link by the time until the PUBACK, whatever that says.</summary>
    public async ValueTask<PublishOutcome> PublishAsync(string topic, byte[] payload, CancellationToken stop)
    {
        var pass = Rate.Sent(payload.Length, Backlog.IsFull);
        try
        {
            var outcome = await _connection.PublishAsync(topic, payload, stop);
            Rate.Acknowledged(pass);
            return outcome;
        }
        catch
        {
            Rate.GivenUp(pass);
            throw;
        }
    }

    /// <summary>
    /// Refused for load, rights or content: everything waits a moment, so that a refusal never becomes a storm.
    /// </summary>
    public void PauseFor(PublishOutcome outcome)
    {
        _delivery.Refused(outcome);
        Pause();
    }

    /// <summary>Everything waits a moment.</summary>
    public void Pause()
    {
        var seconds = _options.BackoffMin.TotalSeconds * (1 + _delivery.Random.NextDouble());
        _pausedUntil = _time.GetTimestamp() + (long)(seconds * _time.TimestampFrequency);
    }

    /// <summary>What stands before a message: when it is sent, as which attempt.</summary>
    public FrameEnvelope Head(Attempt attempt) =>
        new((_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond, attempt);
}
