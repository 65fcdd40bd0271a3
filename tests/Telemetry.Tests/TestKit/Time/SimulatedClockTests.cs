using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Time;

public sealed class SimulatedClockTests
{
    private readonly SimulatedClock _clock = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Timers_fire_in_order_of_due_time_then_of_arming()
    {
        Arm("b", seconds: 2);
        Arm("c", seconds: 2);
        Arm("a", seconds: 1);

        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(["a at 1", "b at 2", "c at 2"], _fired);
        Assert.Equal(TimeSpan.FromSeconds(5), _clock.Elapsed);
    }

    [Fact]
    public void Timer_does_not_fire_before_it_is_due()
    {
        Arm("a", seconds: 2);

        _clock.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.Empty(_fired);

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Single(_fired);
    }

    [Fact]
    public void Periodic_timer_fires_until_it_is_disposed()
    {
        var timer = Arm("a", seconds: 1, period: 2);

        _clock.Advance(TimeSpan.FromSeconds(6));
        timer.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(["a at 1", "a at 3", "a at 5"], _fired);
        Assert.Null(_clock.NextDue);
    }

    [Fact]
    public void Changed_timer_forgets_its_old_due_time()
    {
        var timer = Arm("a", seconds: 1);

        Assert.True(timer.Change(TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan));
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(["a at 3"], _fired);
        timer.Dispose();
        Assert.False(timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void Timer_made_by_a_timer_fires_in_the_same_advance()
    {
        using var first = _clock.CreateTimer(
            _ => Arm("b", seconds: 1), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        _clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(["b at 2"], _fired);
    }

    [Fact]
    public void Step_of_the_wall_clock_moves_neither_timers_nor_timestamps()
    {
        Arm("a", seconds: 1);
        var (utc, timestamp) = (_clock.GetUtcNow(), _clock.GetTimestamp());

        _clock.StepWallClock(TimeSpan.FromHours(-1));

        Assert.Equal(utc.AddHours(-1), _clock.GetUtcNow());
        Assert.Equal(timestamp, _clock.GetTimestamp());
        Assert.Equal(TimeSpan.FromSeconds(1), _clock.NextDue);
    }

    private ITimer Arm(string name, int seconds, int? period = null) => _clock.CreateTimer(
        _ => _fired.Add($"{name} at {_clock.Elapsed.TotalSeconds}"),
        null,
        TimeSpan.FromSeconds(seconds),
        period is { } every ? TimeSpan.FromSeconds(every) : Timeout.InfiniteTimeSpan);
}
