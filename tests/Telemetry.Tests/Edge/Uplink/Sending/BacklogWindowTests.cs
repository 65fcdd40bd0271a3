using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Edge.Uplink.Sending;

/// <summary>
/// How much backlog may be on the way. The link here is a line that carries 16,000 bytes a second, with a round trip of
/// 300 ms, and frames of 936 bytes and 64 of heads: each is carried in 62.5 ms.
/// </summary>
public sealed class BacklogWindowTests
{
    private const int Payload = 936, Frame = Payload + LinkRate.HeadBytes;
    private const double LinkBytesPerSecond = 16_000;
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(300);

    private readonly SimulatedClock _clock = new();
    private readonly LinkRate _rate;
    private readonly BacklogWindow _window;
    private readonly Queue<(TimeSpan At, LinkPass Pass)> _pubAcks = new();
    private TimeSpan _lineFree;
    private long _mostOnTheWay;

    public BacklogWindowTests()
    {
        _rate = new LinkRate(_clock);
        _window = new BacklogWindow(_rate, new UplinkOptions(), _clock);
    }

    [Fact]
    public void New_connection_begins_with_two_of_the_smallest_frames()
    {
        Assert.Equal(BacklogWindow.FrameBytesMin, _window.FrameBytes);
        Assert.Equal(2 * (BacklogWindow.FrameBytesMin + LinkRate.HeadBytes), _window.Bytes);
    }

    [Fact]
    public void One_frame_may_always_be_on_the_way_however_large()
    {
        Assert.True(_window.Takes(60_000));
        _window.Sent(60_000);
        Assert.False(_window.Takes(1));
    }

    [Fact]
    public void Rate_and_round_trip_come_to_be_those_of_the_link()
    {
        Send(TimeSpan.FromSeconds(10));

        Assert.InRange(_rate.BytesPerSecond, 0.95 * LinkBytesPerSecond, 1.1 * LinkBytesPerSecond);
        Assert.InRange(_rate.LeastRoundTrip.TotalSeconds, 0.3, 0.4);
    }

    [Fact]
    public void New_connection_fills_a_fast_link_within_ten_round_trips()
    {
        Send(RoundTrip * 10, 10 * LinkBytesPerSecond);

        Assert.InRange(
            Send(TimeSpan.FromSeconds(1), 10 * LinkBytesPerSecond) / (10 * LinkBytesPerSecond), 0.8, 1.01);
    }

    [Fact]
    public void No_more_is_on_the_way_than_the_link_carries_in_its_round_trip_and_half_a_second()
    {
        Send(TimeSpan.FromSeconds(20));

        Assert.InRange(_mostOnTheWay, 0.5 * LinkBytesPerSecond, 0.9 * LinkBytesPerSecond);
    }

    [Fact]
    public void Link_is_kept_busy()
    {
        Send(TimeSpan.FromSeconds(5));

        Assert.InRange(Send(TimeSpan.FromSeconds(20)) / (20 * LinkBytesPerSecond), 0.9, 1.01);
    }

    [Fact]
    public void Frames_leave_at_the_links_rate_and_not_all_at_once()
    {
        Send(TimeSpan.FromSeconds(10));
        while (!_window.Takes(Payload))
        {
            Step();
        }

        Hand();
        Assert.False(_window.Takes(Payload));
        Assert.InRange(_window.PaceLeft.TotalMilliseconds, 20, 62.5);
    }

    [Fact]
    public void Frame_is_a_part_of_the_window_and_never_more_than_half_a_second()
    {
        Send(TimeSpan.FromSeconds(10));

        Assert.InRange(_window.FrameBytes, BacklogWindow.FrameBytesMin, 0.25 * LinkBytesPerSecond);
    }

    [Fact]
    public void Backlog_is_sealed_half_a_window_at_a_time()
    {
        Send(TimeSpan.FromSeconds(10));
        while (_rate.OnTheWay < 0.6 * _window.Bytes)
        {
            Hand();
        }

        Assert.Equal(0, _window.SealBytes);
    }

    [Fact]
    public void Live_bytes_on_the_way_leave_less_room()
    {
        Send(TimeSpan.FromSeconds(10));
        Step(TimeSpan.FromSeconds(5));
        Hand();
        Step(TimeSpan.FromMilliseconds(100));
        Assert.True(_window.Takes(Payload));

        _rate.Sent((int)_window.Bytes, false);
        Assert.False(_window.Takes(Payload));
    }

    [Fact]
    public void Link_that_becomes_slower_is_noticed_before_live_waits_for_long()
    {
        Send(TimeSpan.FromSeconds(10));
        _mostOnTheWay = 0;
        Send(TimeSpan.FromSeconds(10), LinkBytesPerSecond / 4);
        Send(TimeSpan.FromSeconds(10), LinkBytesPerSecond / 4);

        Assert.InRange(_rate.BytesPerSecond, 0.2 * LinkBytesPerSecond, 0.35 * LinkBytesPerSecond);
        Assert.InRange(_window.Bytes, 0, 0.35 * LinkBytesPerSecond);
    }

    [Fact]
    public void Link_that_becomes_faster_is_found_out()
    {
        Send(TimeSpan.FromSeconds(10));
        Send(TimeSpan.FromSeconds(10), 4 * LinkBytesPerSecond);

        Assert.InRange(_rate.BytesPerSecond, 3 * LinkBytesPerSecond, 4.4 * LinkBytesPerSecond);
    }

    [Fact]
    public void Pubacks_that_come_all_at_once_after_a_pause_raise_no_rate()
    {
        Send(TimeSpan.FromSeconds(10));
        var before = _rate.BytesPerSecond;
        var passes = _pubAcks.Select(p => p.Pass).ToList();
        _pubAcks.Clear();
        _clock.Advance(TimeSpan.FromSeconds(2));
        foreach (var pass in passes)
        {
            _rate.Acknowledged(pass);
            _window.Left(Payload);
        }

        Assert.InRange(_rate.BytesPerSecond, 0.2 * before, 1.01 * before);
    }

    // Of two PUBACKs close together the time between says nothing of the link, where the one before stood for long.
    [Fact]
    public void Message_that_is_sent_among_pubacks_which_come_all_at_once_raises_no_rate()
    {
        Send(TimeSpan.FromSeconds(10));
        Step(TimeSpan.FromSeconds(2));
        var before = _rate.BytesPerSecond;
        var passes = new List<LinkPass>();
        for (var i = 0; i < 10; i++)
        {
            passes.Add(_rate.Sent(Payload, false));
            _clock.Advance(TimeSpan.FromSeconds(Frame / LinkBytesPerSecond));
        }

        _rate.Acknowledged(passes[0]);
        passes[0] = _rate.Sent(Payload, false);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        passes.Skip(1).Append(passes[0]).ToList().ForEach(pass => _rate.Acknowledged(pass));

        Assert.InRange(_rate.BytesPerSecond, 0.9 * before, 1.05 * before);
    }

    [Fact]
    public void Round_trip_that_became_longer_is_measured_again()
    {
        Send(TimeSpan.FromSeconds(10));
        var longer = RoundTrip * 3;
        Send(TimeSpan.FromSeconds(60), LinkBytesPerSecond, longer);

        Assert.InRange(_rate.LeastRoundTrip, longer, longer * 1.5);
    }

    [Fact]
    public void What_no_puback_will_come_for_leaves_the_way()
    {
        var pass = _rate.Sent(Payload, false);
        _window.Sent(Payload);
        _rate.GivenUp(pass);
        _window.Left(Payload);

        Assert.Equal((0, 0, 0), (_rate.OnTheWay, _window.OnTheWay, _rate.BytesPerSecond));
    }

    /// <summary>Sends whatever may be sent; the bytes that arrived.</summary>
    private double Send(TimeSpan time, double bytesPerSecond = LinkBytesPerSecond, TimeSpan? roundTrip = null)
    {
        var (until, arrived) = (_clock.Elapsed + time, 0);
        while (_clock.Elapsed < until)
        {
            while (_window.Takes(Payload))
            {
                Hand(bytesPerSecond, roundTrip);
            }

            arrived += Step();
        }

        return arrived;
    }

    private void Hand(double bytesPerSecond = LinkBytesPerSecond, TimeSpan? roundTrip = null)
    {
        _lineFree = (_lineFree > _clock.Elapsed ? _lineFree : _clock.Elapsed)
            + TimeSpan.FromSeconds(Frame / bytesPerSecond);
        var pass = _rate.Sent(Payload, _window.IsFull);
        _window.Sent(Payload);
        _pubAcks.Enqueue((_lineFree + (roundTrip ?? RoundTrip), pass));
        _mostOnTheWay = Math.Max(_mostOnTheWay, _rate.OnTheWay);
    }

    private int Step(TimeSpan? time = null)
    {
        var arrived = 0;
        for (var left = time ?? TimeSpan.FromMilliseconds(1); left > TimeSpan.Zero;
            left -= TimeSpan.FromMilliseconds(1))
        {
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            while (_pubAcks.TryPeek(out var next) && next.At <= _clock.Elapsed)
            {
                _pubAcks.Dequeue();
                _rate.Acknowledged(next.Pass);
                _window.Left(Payload);
                arrived += Frame;
            }
        }

        return arrived;
    }
}
