using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// One connection as frames and schemas share it: its slots, its measured rate, the window of backlog, and the pause
/// that a refusal causes for all.
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

    /// <summary>The measured rate of the link.</summary>
    public LinkRate Rate { get; }

    /// <summary>How many bytes of backlog may be in flight.</summary>
    public BacklogWindow Backlog { get; }

    /// <summary>The most messages in flight at a time.</summary>
    public int Slots { get; }

    /// <summary>Messages in flight.</summary>
    public int InFlight { get; set; }

    /// <summary>Messages of backlog among them.</summary>
    public int BacklogInFlight { get; set; }

    /// <summary>How many more messages of backlog may be sent.</summary>
    public int BacklogSlots => (Slots / 2) - BacklogInFlight;

    /// <summary>True when a message with this many bytes may be sent.</summary>
    public bool Takes(bool isBacklog, int payloadBytes) => !IsPaused && InFlight < Slots
        && (!isBacklog || (BacklogSlots > 0 && Backlog.Takes(payloadBytes)));

    /// <summary>True once the connection is gone.</summary>
    public bool IsClosed => _connection.Closed.IsCompleted;

    /// <summary>True while nothing is sent.</summary>
    public bool IsPaused => _time.GetTimestamp() < _pausedUntil;

    /// <summary>The rest of the pause; negative when it is over.</summary>
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

    /// <summary>The message's slot is free again.</summary>
    public void End(bool isBacklog, int payloadBytes)
    {
        InFlight--;
        if (isBacklog)
        {
            BacklogInFlight--;
            Backlog.Left(payloadBytes);
        }
    }

    /// <summary>Publishes, and measures the link by the time until the PUBACK, whatever its reason code.</summary>
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
    /// Pauses everything after a refusal for load, rights or content, so that refusals never lead to a storm of
    /// repeats.
    /// </summary>
    public void PauseFor(PublishOutcome outcome)
    {
        _delivery.Refused(outcome);
        Pause();
    }

    /// <summary>Pauses everything for a moment.</summary>
    public void Pause()
    {
        var seconds = _options.BackoffMin.TotalSeconds * (1 + _delivery.Random.NextDouble());
        _pausedUntil = _time.GetTimestamp() + (long)(seconds * _time.TimestampFrequency);
    }

    /// <summary>The prefix of a message: when it is sent, and as which attempt.</summary>
    public FrameEnvelope Head(Attempt attempt) =>
        new((_time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond, attempt);
}
