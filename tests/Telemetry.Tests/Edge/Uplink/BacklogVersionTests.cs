using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>In which version a backlog goes up that waits when an agent connects for the first time.</summary>
public sealed class BacklogVersionTests
{
    private static readonly UplinkOptions Options = new();

    [Fact]
    public void Backlog_waits_for_the_first_answer_and_goes_up_in_the_version_that_it_allows() => Run(
        _ => { },
        TimeSpan.FromSeconds(20),
        cloud => Assert.Equal([1], Versions(cloud)));

    [Fact]
    public void Live_readings_wait_for_no_answer() => Run(
        cloud => cloud.AnswersHellos = false,
        Options.VersionWait / 2,
        cloud =>
        {
            Assert.Empty(Versions(cloud));
            Assert.Contains(cloud.Frames, f => f is { Lane: Lane.Live, Version: 0 });
        });

    [Fact]
    public void Backlog_goes_up_in_version_0_when_no_answer_comes_for_long() => Run(
        cloud => cloud.AnswersHellos = false,
        Options.VersionWait * 2,
        cloud =>
        {
            Assert.Equal([0], Versions(cloud));
            Assert.InRange(
                cloud.Frames.First(f => f.Lane == Lane.Backlog).At - cloud.ConnectedAt,
                Options.VersionWait,
                Options.VersionWait + TimeSpan.FromSeconds(2));
        });

    [Fact]
    public void Cloud_from_before_versions_gets_version_0_at_once_and_nothing_is_quarantined() => Run(
        cloud => cloud.IsOlder = true,
        Options.VersionWait / 2,
        cloud =>
        {
            Assert.Equal([0], Versions(cloud));
            Assert.Equal(0, cloud.Quarantined);
        });

    private static IEnumerable<int> Versions(FreshFirstCloud cloud) =>
        cloud.Frames.Where(f => f.Lane == Lane.Backlog).Select(f => f.Version).Distinct();

    private static void Run(Action<FreshFirstCloud> change, TimeSpan time, Action<FreshFirstCloud> judge) =>
        OutboxRig.Run(async rig =>
        {
            await rig.AcceptAsync(1000);
            var cloud = new FreshFirstCloud(rig);
            change(cloud);
            using var stop = new CancellationTokenSource();
            var sending = new UplinkLoop(
                rig.Outbox, OutboxRig.Gateway, cloud.Link, Options, rig.Clock, new Random(1), NullLogger.Instance)
                .RunAsync(stop.Token);
            while (cloud.Link.ConnectedAt is null)
            {
                await rig.After(TimeSpan.FromMilliseconds(10));
            }

            await rig.AcceptAsync(3);
            await rig.After(time);
            judge(cloud);
            stop.Cancel();
            await sending;
        });
}
