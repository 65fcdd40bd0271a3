using Telemetry.Ingress.Access;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Ingress.Access;

public sealed class RefusalLinesTests
{
    private readonly SimulatedClock _time = new();
    private readonly RefusalLines _lines;

    public RefusalLinesTests() => _lines = new RefusalLines(_time);

    [Fact]
    public void A_flood_of_refusals_gives_few_lines()
    {
        var logged = Enumerable.Range(0, 1_000).Count(_ => _lines.TryTake(out var _));

        Assert.Equal(RefusalLines.LinesMax, logged);
    }

    [Fact]
    public void First_line_after_the_stretch_says_how_many_were_held_back_and_the_next_says_none()
    {
        for (var i = 0; i < 12; i++)
        {
            _lines.TryTake(out _);
        }

        _time.Advance(RefusalLines.Stretch);

        Assert.True(_lines.TryTake(out var heldBack));
        Assert.Equal(12 - RefusalLines.LinesMax, heldBack);
        Assert.True(_lines.TryTake(out heldBack));
        Assert.Equal(0, heldBack);
    }
}
