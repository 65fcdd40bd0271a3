using Telemetry.Model.Readings;
using Telemetry.Storage.Windows;

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

    private static byte[] At(long sequence, long time)
    {
        var batch = new ReadingBatch();
        batch.Add(0, time, 1.0);
        return ProcessorRig.Frame(sequence, batch);
    }

    private static IEnumerable<int> Widths(ProcessorRig rig) =>
        rig.Store.Content.Parts.OrderBy(p => p.Key.Start).Select(p => Assert.Single(p.Value).WidthSeconds);
}
