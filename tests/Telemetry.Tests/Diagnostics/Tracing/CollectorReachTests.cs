using Telemetry.Diagnostics.Tracing;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Diagnostics.Tracing;

public sealed class CollectorReachTests
{
    private readonly SimulatedClock _clock = new();
    private readonly List<CollectorChange> _changes = [];
    private readonly CollectorReach _reach;

    public CollectorReachTests() => _reach = new CollectorReach(_changes.Add, _clock);

    [Fact]
    public void Collector_that_is_out_of_reach_for_an_hour_is_told_twice()
    {
        for (var batch = 0; batch < 1800; batch++)
        {
            _reach.Sent(3, taken: false);
            _clock.Advance(TimeSpan.FromSeconds(2));
        }

        _clock.Advance(CollectorReach.Steady);
        _reach.Sent(3, taken: true);

        Assert.Equal([new CollectorChange(false, 3, 0), new CollectorChange(true, 5400, 3610)], _changes);
    }

    [Fact]
    public void Collector_that_works_and_fails_in_turns_is_told_once()
    {
        for (var batch = 0; batch < 1000; batch++)
        {
            _reach.Sent(1, taken: batch % 2 == 0);
            _clock.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal([new CollectorChange(false, 1, 0)], _changes);
    }

    [Fact]
    public void Collector_that_takes_spans_is_not_told()
    {
        _reach.Sent(1, taken: true);

        Assert.Empty(_changes);
    }
}
