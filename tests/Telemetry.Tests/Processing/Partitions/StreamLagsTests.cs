using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Partitions;

public sealed class StreamLagsTests
{
    [Fact]
    public void Stream_is_behind_while_the_database_fails_and_not_behind_after_that()
    {
        var rig = ProcessorRig.WithSchema();
        Assert.All(rig.Counters.Lags, lag => Assert.Equal((0, LagStage.None), (lag.Messages, lag.Stage)));
        Assert.Equal(["live", "backlog"], rig.Counters.Lags.Select(lag => lag.Stream));

        rig.Store.Fails = _ => "no space left on device";
        rig.Give(ProcessorRig.Floats(1, 3));
        rig.Give(ProcessorRig.Floats(4, 3));

        var live = rig.Counters.Lags.Single(lag => lag.Stream == "live");
        Assert.Equal((2, LagStage.Info), (live.Messages, live.Stage));
        Assert.InRange(live.Age, TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(121));
        Assert.Equal(rig.Store.Lags, rig.Counters.Lags);

        rig.Store.Fails = _ => null;
        rig.Give();

        Assert.All(rig.Counters.Lags, lag => Assert.Equal((0, LagStage.None), (lag.Messages, lag.Stage)));
    }
}
