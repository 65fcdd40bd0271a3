namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// How many bytes of one kind may be on the way: what the link carries in its least round trip and a short time more.
/// Of a new connection nothing is known: it begins small and grows by what is acknowledged, doubling in a round trip,
/// until something stands in line.
/// </summary>
/// <param name="rate">What the link was seen to carry.</param>
/// <param name="bytesMin">With so many it begins; it is never smaller.</param>
/// <param name="standing">How long the link may be busy with it beyond its least round trip.</param>
internal sealed class GrowingWindow(LinkRate rate, int bytesMin, TimeSpan standing)
{
    /// <summary>Twice in a round trip, while it grows.</summary>
    public const double Doubling = 2;

    /// <summary>With more in line the link is full.</summary>
    public static readonly TimeSpan LongQueue = TimeSpan.FromMilliseconds(250);

    private double _grown = bytesMin;

    /// <summary>True until the link was full.</summary>
    public bool IsGrowing { get; private set; } = true;

    /// <summary>Bytes handed over whose PUBACK is awaited.</summary>
    public long OnTheWay { get; private set; }

    /// <summary>The most bytes that may be on the way for more to be added.</summary>
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

            // The rate is too low as long as the window is: twice what was on the way.
            var seconds = Math.Max(longest.TotalSeconds, Doubling * least.TotalSeconds);
            return Math.Max(bytesMin, Math.Min(_grown, rate.BytesPerSecond * seconds));
        }
    }

    /// <summary>True when a message may be handed over: it has room, or none is on the way.</summary>
    public bool Takes(int payloadBytes) =>
        OnTheWay == 0 || OnTheWay + payloadBytes + LinkRate.HeadBytes <= Bytes;

    /// <summary>A message is handed over.</summary>
    public void Sent(int payloadBytes) => OnTheWay += payloadBytes + LinkRate.HeadBytes;

    /// <summary>Its PUBACK came, of which the rate has heard, or none will come.</summary>
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
