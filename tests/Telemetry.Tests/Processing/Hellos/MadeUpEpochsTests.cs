using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Xunit.Abstractions;

namespace Telemetry.Tests.Processing.Hellos;

/// <summary>Hellos with epochs that never were: what they cost is bounded, and the gateway's frames go on.</summary>
public sealed class MadeUpEpochsTests(ITestOutputHelper output)
{
    private const int Hellos = 160;

    [Fact]
    public void Ten_thousand_made_up_epochs_cost_little_and_the_gateways_own_frames_are_stored()
    {
        var rig = ProcessorRig.WithSchema();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();

        rig.Say([.. Enumerable.Range(0, Hellos).Select(MadeUp)]);

        output.WriteLine(
            $"{Hellos * Hello.EpochsMax} epochs: {watch.ElapsedMilliseconds} ms, "
            + $"{(GC.GetAllocatedBytesForCurrentThread() - before) >> 20} MiB allocated, "
            + $"{rig.Store.Content.Epochs.Count} rows");
        Assert.Equal(EpochIndex.NamedMax, rig.Store.Content.Epochs.Count);
        Assert.NotEqual("", rig.Books.Fork);

        rig.Give(ProcessorRig.Floats(1, readings: 3));

        Assert.Equal(3, rig.Books.Stored);
    }

    private static Hello MadeUp(int hello) => new()
    {
        Id = new HelloId(1, hello + 1),
        Full = true,
        Outbox = 5,
        Accepted = 9,
        Epochs =
        [
            .. Enumerable.Range(0, Hello.EpochsMax).Select(i => new HelloEpoch(
                (ulong)((hello * Hello.EpochsMax) + i + 100), new Predecessor(0, default),
                [HelloLane.Empty, new HelloLane(1, 1, []), HelloLane.Empty])),
        ],
    };
}
