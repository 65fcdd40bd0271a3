using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Processing.Windows;

public sealed class WindowMemoryTests
{
    [Theory]
    [InlineData(12, "")]
    [InlineData(11, "3 1")]
    [InlineData(6, "3 1 4")]
    [InlineData(1, "3 1 4 4")]
    public void Beyond_the_limit_parts_of_gateways_are_written_until_a_quarter_is_free(int partsMax, string written)
    {
        GatewayWindows[] gateways = [Of(3), Of(0), Of(1), Of(4), Of(4)];

        Assert.Equal(12, WindowMemory.Trim(gateways, partsMax));

        Assert.Equal(written, string.Join(' ', gateways.Where(g => g.WriteAll).Select(g => g.Count)));
    }

    // A minute of two windows a second, with room for ten.
    [Fact]
    public void Processor_keeps_to_the_limit()
    {
        var rig = new ProcessorRig(new() { Windows = new WindowOptions { PartsMax = 10 } });
        rig.Store.Content = rig.Store.Content with { Widths = [new(new NamePattern("*"), 1, 0)] };
        rig.Give(ProcessorRig.Schema());
        var batch = new ReadingBatch();
        for (var i = 0; i < 120; i++)
        {
            batch.Add(i / 60, rig.NowMicros + (i % 60 * 1_000_000L), 1);
        }

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal(120, rig.Counters.Windows.Parts);
        Assert.Equal(0, rig.Counters.Windows.Open);
    }

    private static GatewayWindows Of(int parts)
    {
        var windows = new GatewayWindows(StoreSteps.Gateway, OpenSpan.None);
        var pool = new PartPool();
        for (var i = 0; i < parts; i++)
        {
            windows.Added(
                StoreSteps.Numbered(MetricType.Int), new WindowSpan(i * 60_000_000, 60), pool)
                .Add(i * 60_000_000, ReadingFlags.None, 1, 1);
        }

        windows.Write(long.MinValue, 0, [], [], pool);
        windows.Committed(long.MinValue, 0, 0, pool);
        return windows;
    }
}
