namespace Telemetry.Edge.Uplink.Sending;

/// <summary>What a publish takes along, so that its PUBACK can say what the link carried meanwhile.</summary>
internal readonly record struct LinkPass(
    int Bytes, long SentAt, long Delivered, long DeliveredAt, long FirstSentAt, bool LinkWasFull);

/// <summary>
/// Measures one connection by its PUBACKs: the bytes a second that it carries, its least round trip, and how long the
/// last message stood in line. Knows nothing at first. After BBR (draft-cardwell-iccrg-bbr-congestion-control): what
/// was delivered between the sending of a message and its PUBACK, divided by the time which that took. The agent's one
/// thread calls it.
/// </summary>
internal sealed class LinkRate(TimeProvider time)
{
    /// <summary>What MQTT, TCP and IP add to a payload, about.</summary>
    public const int HeadBytes = 64;

    /// <summary>Queueing beyond this says that the link is full: a lower rate is believed then.</summary>
    private static readonly TimeSpan FullQueue = TimeSpan.FromMilliseconds(250);

    // A lower rate counts for so much, as a round trip can be slow for other reasons. A higher one counts at once.
    private const double LowerWeight = 0.25;

    private long _delivered;
    private long _deliveredAt;
    private long _firstSentAt;
    private TimeSpan _least = TimeSpan.MaxValue;
    private long _leastSeenAt;

    /// <summary>Bytes a second; 0 before the first PUBACK.</summary>
    public double BytesPerSecond { get; private set; }

    /// <summary>Bytes handed over whose PUBACK is awaited, of all lanes.</summary>
    public long OnTheWay { get; private set; }

    /// <summary>The least round trip; zero before the first PUBACK.</summary>
    public TimeSpan LeastRoundTrip => _least == TimeSpan.MaxValue ? TimeSpan.Zero : _least;

    /// <summary>How long the last acknowledged message stood in line before the link carried it.</summary>
    public TimeSpan Queue { get; private set; }

    /// <summary>
    /// How long ago a round trip was about the least one: a link that has become longer shows it so.
    /// </summary>
    public TimeSpan LeastSince => time.GetElapsedTime(_leastSeenAt);

    /// <summary>A message is handed over. <paramref name="linkIsFull"/>: as much is on the way as may be.</summary>
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

    /// <summary>Its PUBACK came.</summary>
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

        // The slower of both counts: PUBACKs that come all at once after a pause say nothing of the link.
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

    /// <summary>No PUBACK will come.</summary>
    public void GivenUp(in LinkPass pass) => OnTheWay -= pass.Bytes;

    /// <summary>The next round trip is the least one, whatever it is: nothing stands in line now.</summary>
    public void ForgetLeast() => _least = TimeSpan.MaxValue;
}
