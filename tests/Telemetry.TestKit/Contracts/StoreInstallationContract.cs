using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>What every store does: it keeps what was fixed at installation.</summary>
public abstract class StoreInstallationContract
{
    [Fact]
    public Task Facts_are_those_of_the_first_start_whatever_a_later_one_proposes() => RunAsync(async under =>
    {
        var another = await under.OpenAnother();

        Assert.Equal(SampleInstallation.Of(8), await under.Store.InstallAsync(SampleInstallation.Of(8), default));
        Assert.Equal(
            SampleInstallation.Of(8),
            await another.InstallAsync(SampleInstallation.Another(2) with { Generation = 5 }, default));
    });

    [Fact]
    public Task Of_first_starts_at_once_one_writes_the_facts_and_all_get_them() => RunAsync(async under =>
    {
        var another = await under.OpenAnother();

        var facts = await Task.WhenAll(
            under.Store.InstallAsync(SampleInstallation.Of(2), default),
            another.InstallAsync(SampleInstallation.Another(8), default));

        Assert.Equal(facts[0], facts[1]);
        Assert.Contains(facts[0], new[] { SampleInstallation.Of(2), SampleInstallation.Another(8) });
    });

    /// <summary>Makes a fresh store, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<IStoreUnderTest, Task> test);
}
