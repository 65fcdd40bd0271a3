using Telemetry.Processing.Ledger;

namespace Telemetry.Tests.Processing.Ledger;

public sealed class ClockGapTests
{
    private const long Second = 1_000_000, Minute = 60 * Second;

    [Fact]
    public void First_message_has_no_way_and_later_ones_what_is_beyond_the_least()
    {
        var gap = new ClockGap();

        Assert.Equal(0, gap.Transit(100, 100 + 7 * Minute));
        Assert.Equal(2 * Second, gap.Transit(200, 200 + 7 * Minute + 2 * Second));
        Assert.Equal(0, gap.Transit(300, 300 + 7 * Minute - Second));
        Assert.Equal(3 * Second, gap.Transit(400, 400 + 7 * Minute + 2 * Second));
    }

    [Fact]
    public void Clock_that_is_set_forward_counts_at_once()
    {
        var gap = new ClockGap();
        gap.Transit(0, 7 * Minute);

        Assert.Equal(0, gap.Transit(8 * Minute, 8 * Minute));
        Assert.Equal(Second, gap.Transit(9 * Minute, 9 * Minute + Second));
    }

    [Fact]
    public void Clock_that_is_set_back_makes_frames_late_for_ten_minutes_at_most()
    {
        var gap = new ClockGap();
        gap.Transit(0, 0);
        var transits = Enumerable.Range(1, 20)
            .Select(minute => gap.Transit((minute - 60) * Minute, minute * Minute)).ToArray();

        Assert.Equal(60 * Minute, transits[0]);
        Assert.All(transits[10..], t => Assert.Equal(0, t));
    }

    [Fact]
    public void Silence_forgets_nothing()
    {
        var gap = new ClockGap();
        gap.Transit(0, 0);

        Assert.Equal(180 * Minute, gap.Transit(60 * Minute, 240 * Minute));
    }

    [Fact]
    public void Stream_that_is_read_again_keeps_the_least()
    {
        var gap = new ClockGap();
        gap.Transit(100 * Minute, 100 * Minute);

        Assert.Equal(Second, gap.Transit(10 * Minute, 10 * Minute + Second));
        Assert.Equal(0, gap.Transit(101 * Minute, 101 * Minute));
    }
}
