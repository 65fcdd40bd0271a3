using Telemetry.Ingress.Presence;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Presence;

public sealed class PresenceBoardTests
{
    private static readonly GatewayId One = GatewayId.Parse("gw-1"), Two = GatewayId.Parse("gw-2");

    private readonly SimulatedClock _clock = new();
    private readonly PresenceBoard _board;

    public PresenceBoardTests() => _board = new PresenceBoard(new PresenceOptions(), _clock);

    [Fact]
    public void Gateway_that_connects_is_said_at_once_with_its_version()
    {
        _board.Connected(One, "1.2.3");

        var said = Assert.Single(_board.Take(10));
        Assert.Equal((One, true, "1.2.3", NowMicros()), (said.Gateway, said.Connected, said.Version, said.SinceMicros));
        Assert.Null(said.ClockOffsetMicros);
        Assert.Empty(_board.Take(10));
    }

    [Fact]
    public void Gateway_that_comes_and_goes_often_is_said_at_most_every_ten_seconds_and_then_as_it_is()
    {
        _board.Connected(One, "");
        var first = Assert.Single(_board.Take(10));
        for (var second = 1; second < 10; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            _board.Disconnected(One);
            _board.Connected(One, "");
            Assert.Empty(_board.Take(10));
        }

        _board.Disconnected(One);
        _clock.Advance(TimeSpan.FromSeconds(1));
        var second2 = Assert.Single(_board.Take(10));
        Assert.False(second2.Connected);
        Assert.True(second2.Session > first.Session);
    }

    [Fact]
    public void Second_session_of_a_gateway_keeps_it_connected_until_both_have_ended()
    {
        _board.Connected(One, "");
        _board.Connected(One, "2");
        _board.Disconnected(One);
        Assert.True(Assert.Single(_board.Take(10)).Connected);

        _board.Disconnected(One);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(Assert.Single(_board.Take(10)).Connected);
    }

    [Fact]
    public void Connected_gateway_is_repeated_every_minute_and_one_that_is_gone_is_forgotten()
    {
        _board.Connected(One, "");
        _board.Connected(Two, "");
        Assert.Equal(2, _board.Take(10).Count);
        _board.Disconnected(Two);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(Two, Assert.Single(_board.Take(10)).Gateway);

        _clock.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(One, Assert.Single(_board.Take(10)).Gateway);
        _clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(One, Assert.Single(_board.Take(10)).Gateway);
        Assert.Equal(1, _board.Count);
    }

    [Fact]
    public void What_could_not_be_said_is_said_later()
    {
        _board.Connected(One, "");
        _board.Unsaid(_board.Take(10));

        Assert.True(Assert.Single(_board.Take(10)).Connected);
    }

    [Fact]
    public void No_more_are_taken_than_asked_for_and_the_rest_is_taken_next()
    {
        _board.Connected(One, "");
        _board.Connected(Two, "");

        Assert.Equal(One, Assert.Single(_board.Take(1)).Gateway);
        Assert.Equal(Two, Assert.Single(_board.Take(1)).Gateway);
    }

    [Fact]
    public void Clock_offset_is_that_of_the_message_that_was_under_way_for_the_shortest_time()
    {
        _board.Connected(One, "");
        _board.Heard(One, NowMicros() + 2_000_000 - 700_000, null);
        _board.Heard(One, NowMicros() + 2_000_000 - 20_000, true);
        _board.Heard(One, NowMicros() + 2_000_000 - 300_000, null);

        var said = Assert.Single(_board.Take(10));
        Assert.Equal((1_980_000, true), (said.ClockOffsetMicros, said.ClockSynchronised));
    }

    [Fact]
    public void Clock_that_was_set_is_said_and_small_changes_are_not()
    {
        _board.Connected(One, "");
        _board.Heard(One, NowMicros(), true);
        Assert.Single(_board.Take(10));
        _clock.Advance(TimeSpan.FromSeconds(11));
        _board.Heard(One, NowMicros() + 90_000, true);
        Assert.Empty(_board.Take(10));

        _board.Heard(One, NowMicros() + 300_000, true);
        Assert.Equal(300_000, Assert.Single(_board.Take(10)).ClockOffsetMicros);
    }

    [Fact]
    public void Version_of_any_length_is_cut_in_whole_characters()
    {
        _board.Connected(One, string.Concat(Enumerable.Repeat("€", 100)));

        Assert.Equal(string.Concat(Enumerable.Repeat("€", 21)), Assert.Single(_board.Take(10)).Version);
    }

    private long NowMicros() => (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
