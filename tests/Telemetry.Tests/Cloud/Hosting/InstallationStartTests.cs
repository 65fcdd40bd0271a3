using Telemetry.Cloud.Hosting;
using Telemetry.Model.Installations;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Cloud.Hosting;

public sealed class InstallationStartTests
{
    private static readonly InstallationFacts Eight = SampleInstallation.Of(8);
    private static readonly InstallationFacts Three = SampleInstallation.Of(3) with { Generation = 2 };

    private readonly Pump _pump = new();
    private readonly SimulatedStore _store;
    private readonly SimulatedFrameLog _log;

    public InstallationStartTests()
    {
        _store = new SimulatedStore(_pump, new Random(1));
        _log = new SimulatedFrameLog(_pump, new Random(2));
    }

    [Fact]
    public void First_start_writes_the_setting_and_a_second_one_with_another_is_refused_with_both_named()
    {
        Assert.Equal((8, 1), (OfStore(8).Partitions, OfStore(8).Generation));

        var refused = Assert.Throws<InstallationException>(() => OfStore(2));

        Assert.StartsWith("partitions: '2' is configured, but the database says 8 partitions", refused.Message);
        Assert.Equal(8, _store.Content.Installation!.Partitions);
    }

    [Fact]
    public void Of_first_starts_at_once_with_different_settings_one_is_refused()
    {
        var outcomes = _pump.Run(() => Task.WhenAll(OutcomeAsync(2), OutcomeAsync(8), OutcomeAsync(2)));

        var standing = _store.Content.Installation!.Partitions;
        Assert.Equal(new[] { 2 == standing, 8 == standing, 2 == standing }, outcomes);
    }

    [Fact]
    public void Empty_database_takes_the_facts_of_the_log()
    {
        _log.Tell(new StreamInstallation(Eight));

        Assert.Equal(Eight, OfStore(8));
    }

    [Fact]
    public void Database_that_was_put_back_to_before_a_repartition_is_refused_whatever_the_setting()
    {
        _store.Content = SimulatedDatabase.Empty with { Installation = Eight };
        _log.Tell(new StreamInstallation(Three));

        foreach (var setting in new[] { 8, 3 })
        {
            Assert.EndsWith(
                "telemetry repartition --partitions 3",
                Assert.Throws<InstallationException>(() => OfStore(setting)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Log_that_is_behind_the_database_is_no_reason_to_refuse()
    {
        _store.Content = SimulatedDatabase.Empty with { Installation = Three };
        _log.Tell(new StreamInstallation(Eight, Next: 3));

        Assert.Equal(Three, OfStore(3));
    }

    [Fact]
    public void Log_of_another_installation_is_refused()
    {
        _store.Content = SimulatedDatabase.Empty with { Installation = Eight };
        _log.Tell(new StreamInstallation(SampleInstallation.Another(8)));

        Assert.Contains(
            "Connect this process to the database and the NATS server of one installation",
            Assert.Throws<InstallationException>(() => OfStore(8)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ingress_waits_for_streams_and_for_the_end_of_a_repartition_and_is_refused_by_another_setting()
    {
        Assert.Null(OfLog(8));
        _log.Tell(new StreamInstallation(Eight, Next: 3));
        Assert.Null(OfLog(2));
        _log.Tell(new StreamInstallation(Eight));

        Assert.Equal(Eight, OfLog(8));
        Assert.StartsWith(
            "partitions: '2' is configured, but the log says 8 partitions",
            Assert.Throws<InstallationException>(() => OfLog(2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Running_ingress_is_closed_while_partitions_change_and_ends_when_they_have_changed()
    {
        var reasons = new List<string?>();
        var ended = false;
        _log.Tell(new StreamInstallation(Eight));
        _pump.Run(async () =>
        {
            var watching = new InstallationWatch(_log.As(Eight), reasons.Add, _pump.Clock).RunAsync(default);
            await Task.Delay(TimeSpan.FromSeconds(5), _pump.Clock);
            _log.Tell(null);
            await Task.Delay(TimeSpan.FromSeconds(5), _pump.Clock);
            _log.Tell(new StreamInstallation(Eight, Next: 3));
            await Task.Delay(TimeSpan.FromSeconds(5), _pump.Clock);
            Assert.False(watching.IsCompleted);
            _log.Tell(new StreamInstallation(Three));
            await Task.Delay(TimeSpan.FromSeconds(5), _pump.Clock);
            ended = watching.Exception?.InnerException is InstallationException;
        });

        Assert.Null(reasons[0]);
        Assert.StartsWith("the partitions are being changed from 8 to 3", reasons[^1], StringComparison.Ordinal);
        Assert.True(ended);
    }

    private InstallationFacts OfStore(int partitions) =>
        _pump.Run(() => InstallationStart.OfStoreAsync(_store, _log, partitions, new Random(partitions), default));

    private InstallationFacts? OfLog(int partitions) =>
        _pump.Run(() => InstallationStart.OfLogAsync(_log, partitions, default));

    private async Task<bool> OutcomeAsync(int partitions)
    {
        try
        {
            await InstallationStart.OfStoreAsync(_store, _log, partitions, new Random(partitions), default);
            return true;
        }
        catch (InstallationException)
        {
            return false;
        }
    }
}
