using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Installations;
using Telemetry.Processing;
using Telemetry.Storage;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing;

/// <summary>A processor whose database holds other facts than it was started with, or gets them.</summary>
public sealed class InstallationTests
{
    private static readonly InstallationFacts Facts = SampleInstallation.Of(2);
    private static readonly InstallationFacts Changed = SampleInstallation.Of(5) with { Generation = 2 };

    [Fact]
    public void Processor_ends_when_the_database_that_it_finds_holds_other_facts_and_gives_its_leases_back()
    {
        var pump = new Pump();
        var store = new SimulatedStore(pump, new Random(1))
        {
            Content = SimulatedDatabase.Empty with { Installation = Changed },
        };

        pump.Run(() => Assert.ThrowsAsync<InstallationException>(() => Start(pump, store).RunAsync(default)));

        Assert.Equal(2, store.Content.Partitions.Count);
        Assert.All(store.Content.Partitions.Values, p => Assert.Equal(default, p.LeaseEnd));
        Assert.All(store.Content.Partitions.Values, p => Assert.Equal(0, p.Row.Commits));
    }

    [Fact]
    public void Processor_at_work_ends_when_a_repartition_changes_the_facts_under_it()
    {
        var pump = new Pump();
        var store = new SimulatedStore(pump, new Random(1));
        pump.Run(async () =>
        {
            var running = Start(pump, store).RunAsync(default);
            await Task.Delay(TimeSpan.FromSeconds(30), pump.Clock);
            Assert.Equal(Facts, store.Content.Installation);
            Assert.False(running.IsCompleted);
            // As the command does it: new facts and new tokens in one transaction.
            store.Content = store.Content with
            {
                Installation = Changed,
                Partitions = store.Content.Partitions.SetItems(store.Content.Partitions.Select(p =>
                    KeyValuePair.Create(p.Key, p.Value with { Row = p.Value.Row with { Token = 99 } }))),
            };

            var refused = await Assert.ThrowsAsync<InstallationException>(() => running);
            Assert.Contains("the database now says 5 partitions", refused.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Gateway_whose_row_names_another_partition_is_neither_stored_nor_acknowledged_nor_made_a_dead_letter()
    {
        var rig = ProcessorRig.WithSchema();
        var held = rig.Store.Content.Partitions[0];
        rig.Store.Content = rig.Store.Content with
        {
            Gateways = rig.Store.Content.Gateways.SetItem(
                ProcessorRig.Gateway, GatewayRow.New(ProcessorRig.Gateway, 5)),
            // A restored database: the owner forgets what it knows.
            Partitions = rig.Store.Content.Partitions.SetItem(
                0, held with { Row = held.Row with { Token = 1 } }),
        };
        rig.Give();
        var said = rig.Down.Count;

        rig.Give(ProcessorRig.Floats(1, readings: 3));

        Assert.Empty(rig.Readings);
        Assert.Empty(rig.DeadLetters);
        Assert.Equal(said, rig.Down.Count);
        Assert.Equal(1, rig.Counters.Refused);
        Assert.Equal(5, rig.Books.Partition);
    }

    private static Processor Start(Pump pump, SimulatedStore store) => new(
        store, new SimulatedFrameLog(
            pump, new Random(2)).As(Facts), new SimulatedControlChannel(pump, new Random(3)).As(Facts),
        new ProcessorOptions { Partitions = 2, Owner = "processor" }, pump.Clock, new Random(4),
        NullLogger.Instance);
}
