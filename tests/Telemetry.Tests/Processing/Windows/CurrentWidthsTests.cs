using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Readings;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Windows;

public sealed class CurrentWidthsTests
{
    // Of Samples.Schema: temperature of the pump.
    private static readonly WindowWidth TenSeconds = new(new("temp*"), 10, WindowWidth.Beginning);

    [Fact]
    public void Owner_folds_with_the_widths_of_the_database_from_its_first_reading_on()
    {
        var rig = new ProcessorRig();
        rig.Store.Content = rig.Store.Content with { Widths = [TenSeconds] };

        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, 1));

        Assert.Equal([10], Widths(rig));
    }

    [Fact]
    public void Width_that_is_added_later_is_learnt_within_a_minute_and_counts_from_its_time_on()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Give(At(1, 100_000_000), At(2, 700_000_000));
        Assert.Equal([60, 60], Widths(rig));
        rig.Store.Content = rig.Store.Content with { Widths = [TenSeconds with { ValidFrom = 900_000_000 }] };

        // Nothing is given, and a minute passes.
        rig.Give();
        rig.Give(At(3, 899_999_999), At(4, 900_000_000));

        Assert.Equal([60, 60, 60, 10], Widths(rig));
    }

    [Fact]
    public void Width_that_is_not_read_yet_does_not_count()
    {
        var rig = ProcessorRig.WithSchema();
        rig.Give(At(1, 100_000_000));
        rig.Store.Content = rig.Store.Content with { Widths = [TenSeconds with { ValidFrom = 900_000_000 }] };

        rig.TimeUntil(() => rig.Frames.Length == 2, At(2, 900_000_000));

        Assert.Equal([60, 60], Widths(rig));
    }

    [Fact]
    public void Nothing_is_folded_until_the_widths_were_read()
    {
        var rig = new ProcessorRig();
        rig.Store.Content = rig.Store.Content with { Widths = [TenSeconds] };
        rig.Store.Calls.LosesRequest = what => what == "read the widths of windows";

        rig.Give(ProcessorRig.Schema(), ProcessorRig.Floats(1, 1));
        Assert.Empty(rig.Readings);
        rig.Store.Calls.LosesRequest = _ => false;
        rig.Give();

        Assert.Equal([10], Widths(rig));
    }

    // As who adds an entry that is valid from the beginning does, so that an owner at work learns of it.
    [Fact]
    public void Owner_whose_row_was_changed_reads_the_widths_before_it_folds_again()
    {
        var rig = ProcessorRig.WithSchema(new ProcessorOptions
        {
            Windows = new WindowOptions { ReadWidthsEvery = TimeSpan.FromHours(1) },
        });
        rig.Give(At(1, 100_000_000));
        var partition = rig.Store.Content.Partitions[0];
        rig.Store.Content = rig.Store.Content with
        {
            Widths = [TenSeconds with { ValidFrom = 900_000_000 }],
            Partitions = rig.Store.Content.Partitions.SetItem(
                0, partition with { Row = partition.Row with { Commits = partition.Row.Commits + 1 } }),
        };

        rig.TimeUntil(() => rig.Frames.Length == 2, At(2, 900_000_000));

        Assert.Equal([60, 10], Widths(rig));
    }

    [Fact]
    public void Widths_are_read_again_when_it_is_due_and_at_once_when_asked()
    {
        var pump = new Pump();
        var store = new SimulatedStore(pump, new Random(1));
        var widths = new CurrentWidths(store, new WindowOptions(), pump.Clock, NullLogger.Instance);
        var seen = new List<int>();

        pump.Run(async () =>
        {
            await Add(false, TimeSpan.Zero);
            await Add(false, TimeSpan.FromSeconds(59));
            await Add(false, TimeSpan.FromSeconds(1));
            await Add(true, TimeSpan.Zero);
        });

        Assert.Equal([1, 1, 3, 4], seen);

        async Task Add(bool atOnce, TimeSpan after)
        {
            store.Content = store.Content with { Widths = store.Content.Widths.Add(TenSeconds) };
            await Task.Delay(after, pump.Clock);
            await widths.ReadAsync(atOnce, CancellationToken.None);
            seen.Add(widths.Now.All.Count);
        }
    }

    private static byte[] At(long sequence, long time)
    {
        var batch = new ReadingBatch();
        batch.Add(0, time, 1.0);
        return ProcessorRig.Frame(sequence, batch);
    }

    private static IEnumerable<int> Widths(ProcessorRig rig) =>
        rig.Store.Content.Parts.OrderBy(p => p.Key.Start).Select(p => Assert.Single(p.Value).WidthSeconds);
}
