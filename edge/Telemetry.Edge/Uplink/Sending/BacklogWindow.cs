using Telemetry.Model.Frames;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// How much backlog may be in flight, so that live readings never wait behind it (G10): at most what the link carries
/// in its least round trip plus half a second, sent at the link's rate. For a new connection nothing is known: the
/// window begins with two small frames and grows by what is acknowledged, doubling each round trip, until the link is
/// full. Used on the agent's one thread.
/// </summary>
internal sealed class BacklogWindow(LinkRate rate, UplinkOptions options, TimeProvider time)
{
    /// <summary>No frame is cut smaller than this, so that its header stays the lesser part.</summary>
    public const int FrameBytesMin = 512;

    private const int WindowBytesMin = 2 * (FrameBytesMin + LinkRate.HeadBytes);

    // Several frames in a window: with a single one, the link would be idle from its end to its PUBACK.
    private const int FramesAWindow = 4;

    // Above the link's rate while nothing queues, to find out whether it carries more; below it to let a queue drain.
    private const double Faster = 1.25, AsFast = 1, Slower = 0.9;

    private static readonly TimeSpan ShortQueue = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongQueue = GrowingWindow.LongQueue;

    // How much earlier than its time a frame may be sent: timers are no more exact, and a fast link should not wait for
    // them.
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(20);

    // When no round trip was near the least one for this time (and for this many round trips), sending pauses once
    // until the link is empty, to measure the least round trip again.
    private static readonly TimeSpan LeastKept = TimeSpan.FromSeconds(15);
    private const int LeastKeptRoundTrips = 20;

    private readonly GrowingWindow _window = new(rate, WindowBytesMin, options.BacklogFrameTime);
    private bool _runsEmpty;
    private long _nextAt = time.GetTimestamp();

    /// <summary>Bytes of backlog that were sent and wait for their PUBACK.</summary>
    public long OnTheWay => _window.OnTheWay;

    /// <summary>The most bytes that may be in flight for more backlog to be added.</summary>
    public double Bytes => _window.Bytes;

    /// <summary>The most bytes of a frame that is sealed now.</summary>
    public int FrameBytes
    {
        get
        {
            var bytes = Math.Min(Bytes / FramesAWindow, rate.BytesPerSecond * options.BacklogFrameTime.TotalSeconds);
            return (int)Math.Clamp(bytes - LinkRate.HeadBytes, FrameBytesMin, FrameHeader.BytesMax);
        }
    }

    /// <summary>
    /// How many bytes of backlog may be sealed now; 0 when it is not the backlog's turn. Half a window at a time,
    /// because each sealing is a commit.
    /// </summary>
    public long SealBytes
    {
        get
        {
            var room = (long)(Bytes - rate.OnTheWay);
            return !IsOpen ? 0 : OnTheWay == 0 ? Math.Max(room, 1) : room >= Bytes / 2 ? room : 0;
        }
    }

    /// <summary>How long the link is still busy with what was sent.</summary>
    public TimeSpan PaceLeft => time.GetElapsedTime(time.GetTimestamp(), _nextAt) - Early;

    private bool IsOpen => !_runsEmpty && PaceLeft <= TimeSpan.Zero;

    /// <summary>
    /// True when a frame may be sent: it fits the window, or no backlog is in flight, and the link has finished the
    /// earlier ones.
    /// </summary>
    public bool Takes(int payloadBytes) => IsOpen
        && (OnTheWay == 0 || Math.Max(OnTheWay, rate.OnTheWay) + payloadBytes + LinkRate.HeadBytes <= Bytes);

    /// <summary>True when so much is in flight that the link cannot be idle.</summary>
    public bool IsFull => rate.OnTheWay >= 0.75 * Bytes;

    /// <summary>A frame of backlog was sent.</summary>
    public void Sent(int payloadBytes)
    {
        var bytes = payloadBytes + LinkRate.HeadBytes;
        _window.Sent(payloadBytes);
        if (rate.BytesPerSecond > 0)
        {
            var pace = _window.IsGrowing ? GrowingWindow.Doubling
                : rate.Queue < ShortQueue ? Faster
                : rate.Queue < LongQueue ? AsFast
                : Slower;
            var now = time.GetTimestamp();
            var busy = bytes / (pace * rate.BytesPerSecond) * time.TimestampFrequency;
            _nextAt = Math.Max(now, _nextAt) + (long)Math.Min(busy, 10.0 * time.TimestampFrequency);
        }

        _runsEmpty |= rate.BytesPerSecond > 0
            && rate.LeastSince > LeastKept && rate.LeastSince > LeastKeptRoundTrips * rate.LeastRoundTrip;
    }

    /// <summary>Its PUBACK arrived and the rate was updated, or no PUBACK will arrive.</summary>
    public void Left(int payloadBytes)
    {
        _window.Left(payloadBytes);
        if (_runsEmpty && OnTheWay == 0)
        {
            _runsEmpty = false;
            rate.ForgetLeast();
        }
    }
}
