namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// How many bytes of one kind may be in flight: what the link carries in its least round trip plus a short time. For a
/// new connection nothing is known: the window begins small and grows by what is acknowledged, doubling each round
/// trip, until messages queue.
/// </summary>
/// <param name="rate">The measured rate of the link.</param>
/// <param name="bytesMin">The window begins with this size, and is never smaller.</param>
/// <param name="standing">How long the link may be busy with these bytes beyond its least round trip.</param>
internal sealed class GrowingWindow(LinkRate rate, int bytesMin, TimeSpan standing)
{
    /// <summary>The growth in each round trip.</summary>
    public const double Doubling = 2;

    /// <summary>With a longer queue the link counts as full.</summary>
    public static readonly TimeSpan LongQueue = TimeSpan.FromMilliseconds(250);

    private double _grown = bytesMin;

    /// <summary>True until the link was full for the first time.</summary>
    public bool IsGrowing { get; private set; } = true;

    /// <summary>Bytes that were sent and wait for their PUBACK.</summary>
    public long OnTheWay { get; private set; }

    /// <summary>The most bytes that may be in flight for more to be added.</summary>
    public double Bytes
    {
        get
        {
            var least = rate.LeastRoundTrip;
            var longest = least + standing;
            if (!IsGrowing)
            {
                return Math.Max(bytesMin, rate.BytesPerSecond * longest.TotalSeconds);
            }

            // While the window is too small, the measured rate is too low; therefore twice what was in flight counts.
            var seconds = Math.Max(longest.TotalSeconds, Doubling * least.TotalSeconds);
            return Math.Max(bytesMin, Math.Min(_grown, rate.BytesPerSecond * seconds));
        }
    }

    /// <summary>True when a message may be sent: it fits the window, or none is in flight.</summary>
    public bool Takes(int payloadBytes) =>
        OnTheWay == 0 || OnTheWay + payloadBytes + LinkRate.HeadBytes <= Bytes;

    /// <summary>A message was sent.</summary>
    public void Sent(int payloadBytes) => OnTheWay += payloadBytes + LinkRate.HeadBytes;

    /// <summary>Its PUBACK arrived and the rate was updated, or no PUBACK will arrive.</summary>
    public void Left(int payloadBytes)
    {
        var bytes = payloadBytes + LinkRate.HeadBytes;
        OnTheWay -= bytes;
        if (IsGrowing)
        {
            _grown += bytes;
            IsGrowing = rate.Queue < LongQueue + (rate.LeastRoundTrip / 4);
        }
    }
}
