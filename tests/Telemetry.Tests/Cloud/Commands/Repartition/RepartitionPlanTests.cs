using Telemetry.Cloud.Commands.Repartition;
using Telemetry.Model.Installations;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Cloud.Commands.Repartition;

public sealed class RepartitionPlanTests
{
    private static readonly InstallationFacts Eight = SampleInstallation.Of(8);
    private static readonly InstallationFacts Three = SampleInstallation.Of(3) with { Generation = 2 };

    [Fact]
    public void Another_number_is_a_change_and_goes_on_when_it_was_begun()
    {
        Assert.Equal(RepartitionWork.Change, RepartitionPlan.Of(Eight, new StreamInstallation(Eight), 3));
        Assert.Equal(RepartitionWork.Change, RepartitionPlan.Of(Eight, new StreamInstallation(Eight, Next: 3), 3));
        Assert.Equal(RepartitionWork.Change, RepartitionPlan.Of(Eight, null, 3));
    }

    [Fact]
    public void Number_that_holds_is_nothing_or_takes_a_begun_change_back()
    {
        Assert.Equal(RepartitionWork.Nothing, RepartitionPlan.Of(Eight, new StreamInstallation(Eight), 8));
        Assert.Equal(RepartitionWork.Nothing, RepartitionPlan.Of(Eight, null, 8));
        Assert.Equal(RepartitionWork.Cancel, RepartitionPlan.Of(Eight, new StreamInstallation(Eight, Next: 3), 8));
    }

    [Fact]
    public void Third_number_is_refused_while_a_change_is_under_way() =>
        Assert.Throws<InstallationException>(
            () => RepartitionPlan.Of(Eight, new StreamInstallation(Eight, Next: 3), 5));

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void Log_that_was_not_told_of_a_durable_change_is_told_first(int partitions) => Assert.Equal(
        RepartitionWork.Finish, RepartitionPlan.Of(Three, new StreamInstallation(Eight, Next: 3), partitions));

    [Fact]
    public void Database_that_was_put_back_repeats_the_step_that_the_log_knows_and_no_other()
    {
        Assert.Equal(RepartitionWork.Repeat, RepartitionPlan.Of(Eight, new StreamInstallation(Three), 3));
        Assert.Throws<InstallationException>(() => RepartitionPlan.Of(Eight, new StreamInstallation(Three), 5));
        Assert.Throws<InstallationException>(() => RepartitionPlan.Of(Eight, new StreamInstallation(Three), 8));
    }

    [Fact]
    public void Log_of_another_installation_is_refused()
    {
        Assert.Throws<InstallationException>(
            () => RepartitionPlan.Of(Eight, new StreamInstallation(SampleInstallation.Another(8)), 3));
        Assert.Throws<InstallationException>(
            () => RepartitionPlan.Of(Eight, new StreamInstallation(SampleInstallation.Of(5)), 3));
    }
}
