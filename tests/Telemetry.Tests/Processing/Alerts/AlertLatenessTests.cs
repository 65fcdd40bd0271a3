using Telemetry.Model.Identity;
using Telemetry.Model.Readings;

namespace Telemetry.Tests.Processing.Alerts;

/// <summary>What is late, and that no clock that is off makes it so or hides it (G8).</summary>
public sealed class AlertLatenessTests
{
    private const long Minute = 60_000_000;

    [Theory]
    [InlineData(7)]
    [InlineData(600)]
    [InlineData(-7)]
    [InlineData(-5)]
    public void Fresh_reading_of_an_agent_whose_clock_is_off_is_not_late(int minutesBehind)
    {
        var rig = Rig(minutesBehind);

        rig.Give(Hot(Lane.Live, 1, AgentNow(rig)));

        var alert = Assert.Single(rig.Alerts);
        Assert.False(alert.Late);
        Assert.InRange(alert.DetectionDelayMicros, 0, Minute / 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(-5)]
    public void Live_frame_that_is_sent_again_after_an_hour_is_late(int minutesBehind)
    {
        var rig = Rig(minutesBehind);

        rig.Give(Hot(Lane.Live, 1, AgentNow(rig) - 60 * Minute));

        Assert.True(Assert.Single(rig.Alerts).Late);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(-5)]
    public void Backlog_reading_that_waited_is_late_whatever_the_clock_says(int minutesBehind)
    {
        var rig = Rig(minutesBehind);

        rig.GiveBoth([], [Hot(Lane.Backlog, 1, AgentNow(rig) - 10 * Minute)]);

        Assert.True(Assert.Single(rig.Alerts).Late);
    }

    [Fact]
    public void Frame_that_was_long_on_its_way_is_late()
    {
        var rig = Rig(minutesBehind: 7);
        rig.Give(Hot(Lane.Live, 1, AgentNow(rig) - 70 * Minute, 5));

        rig.AgentClockBehindMicros += 60 * Minute; // It was sent an hour ago.
        rig.Give(Hot(Lane.Live, 2, AgentNow(rig)));

        var alert = Assert.Single(rig.Alerts);
        Assert.True(alert.Late);
        Assert.InRange(alert.DetectionDelayMicros, 59 * Minute, 62 * Minute);
    }

    [Fact]
    public void Frame_that_waited_for_its_schema_is_late()
    {
        var rig = new ProcessorRig(SampleRules.With(SampleRules.Hot()));
        rig.Give(Hot(Lane.Live, 1, rig.NowMicros));
        Assert.Empty(rig.Alerts);

        rig.Give(ProcessorRig.Schema());

        Assert.True(Assert.Single(rig.Alerts).Late);
    }

    private static ProcessorRig Rig(int minutesBehind)
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot() with { Late = TimeSpan.FromMinutes(5) }));
        rig.AgentClockBehindMicros = minutesBehind * Minute;
        return rig;
    }

    private static long AgentNow(ProcessorRig rig) => rig.NowMicros - rig.AgentClockBehindMicros;

    private static byte[] Hot(Lane lane, long first, long timeMicros, double value = 11)
    {
        var batch = new ReadingBatch();
        batch.Add(0, timeMicros, value);
        return ProcessorRig.Frame(lane, first, batch);
    }
}
