namespace Telemetry.Edge.Uplink.Sending;

/// <summary>The state at the sending of a publish, so that its PUBACK tells what the link carried meanwhile.</summary>
internal readonly record struct LinkPass(
    int Bytes, long SentAt, long Delivered, long DeliveredAt, long FirstSentAt, bool LinkWasFull);

/// <summary>
/// Measures one connection by its PUBACKs: the bytes per second that it carries, its least round trip, and how long the
/// last message queued. At first nothing is known. After BBR (draft-cardwell-iccrg-bbr-congestion-control): the bytes
/// delivered between the sending of a message and its PUBACK, divided by the time which that took. Used on the agent's
/// one thread.
/// </summary>
internal sealed class LinkRate(TimeProvider time)
{
    /// <summary>About what MQTT, TCP and IP add to a payload.</summary>
    public const int HeadBytes = 64;

    /// <summary>Queueing beyond this means that the link is full: then a lower rate is accepted.</summary>
    private static readonly TimeSpan FullQueue = TimeSpan.FromMilliseconds(250);

    // The weight of a lower rate, since a round trip can be slow for other reasons. A higher rate counts at once.
    private const double LowerWeight = 0.25;

    private long _delivered;
    private long _deliveredAt;
    private long _firstSentAt;
    private TimeSpan _least = TimeSpan.MaxValue;
    private long _leastSeenAt;

    /// <summary>Bytes per second; 0 before the first PUBACK.</summary>
    public double BytesPerSecond { get; private set; }

    /// <summary>Bytes of all lanes that were sent and wait for their PUBACK.</summary>
    public long OnTheWay { get; private set; }

    /// <summary>The least round trip; zero before the first PUBACK.</summary>
    public TimeSpan LeastRoundTrip => _least == TimeSpan.MaxValue ? TimeSpan.Zero : _least;

    /// <summary>How long the last acknowledged message queued before the link carried it.</summary>
    public TimeSpan Queue { get; private set; }

    /// <summary>The time since a round trip was near the least one; it grows when the link has become longer.</summary>
    public TimeSpan LeastSince => time.GetElapsedTime(_leastSeenAt);

    /// <summary>A message is sent. <paramref name="linkIsFull"/>: as many bytes are in flight as allowed.</summary>
    public LinkPass Sent(int payloadBytes, bool linkIsFull)
    {
        var now = time.GetTimestamp();
        if (OnTheWay == 0)
        {
            _deliveredAt = _firstSentAt = now;
        }

        var bytes = payloadBytes + HeadBytes;
        OnTheWay += bytes;
        return new LinkPass(bytes, now, _delivered, _deliveredAt, _firstSentAt, linkIsFull);
    }

    /// <summary>The message's PUBACK arrived.</summary>
    public void Acknowledged(in LinkPass pass)
    {
        var now = time.GetTimestamp();
        OnTheWay -= pass.Bytes;
        _delivered += pass.Bytes;
        _deliveredAt = now;
        _firstSentAt = pass.SentAt;
        var roundTrip = time.GetElapsedTime(pass.SentAt, now);
        if (roundTrip <= (_least == TimeSpan.MaxValue ? _least : (_least * 1.1) + TimeSpan.FromMilliseconds(5)))
        {
            _least = roundTrip < _least ? roundTrip : _least;
            _leastSeenAt = now;
        }

        // The slower of both rates counts: PUBACKs that arrive together after a pause tell nothing about the link.
        var sending = time.GetElapsedTime(pass.FirstSentAt, pass.SentAt);
        var arriving = time.GetElapsedTime(pass.DeliveredAt, now);
        var seconds = (sending > arriving ? sending : arriving).TotalSeconds;
        if (seconds <= 0)
        {
            return;
        }

        var carried = (_delivered - pass.Delivered) / seconds;
        var alone = TimeSpan.FromSeconds(pass.Bytes / Math.Max(carried, BytesPerSecond));
        Queue = roundTrip > _least + alone ? roundTrip - _least - alone : TimeSpan.Zero;
        if (carried > BytesPerSecond)
        {
            BytesPerSecond = carried;
        }
        else if (pass.LinkWasFull && Queue > FullQueue)
        {
            BytesPerSecond += LowerWeight * (carried - BytesPerSecond);
        }
    }

    /// <summary>No PUBACK will arrive.</summary>
    public void GivenUp(in LinkPass pass) => OnTheWay -= pass.Bytes;

    /// <summary>The next round trip becomes the least one, whatever it is: nothing queues now.</summary>
    public void ForgetLeast() => _least = TimeSpan.MaxValue;
}
