using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Edge.Outbox;

public sealed class OutboxCostTests
{
    private const int Rounds = 50, Readings = 3000;

    /// <summary>
    /// A reading takes 16 bytes in its frame, which is made once; batches, orders and writers are reused.
    /// </summary>
    [Fact]
    public async Task A_warm_outbox_allocates_little_more_than_its_frames()
    {
        var outbox = await ReadingOutbox.OpenAsync(
            new SinkFile(), OutboxRig.Gateway, new OutboxOptions(), new SimulatedClock(), new Random(1), default);
        outbox.LinkUp = true;
        outbox.Sealed += frame => outbox.Free(frame);
        var series = outbox.SeriesIndex(new SeriesDefinition { Device = "d", Metric = "m" });
        var batch = new ReadingBatch();
        long before = 0;
        for (var round = 0; round < Rounds * 2; round++)
        {
            before = round == Rounds ? GC.GetAllocatedBytesForCurrentThread() : before;
            batch.Clear();
            for (var i = 0; i < Readings; i++)
            {
                batch.Add(series, Readings - i, (double)i);
            }

            Assert.True((await outbox.OfferAsync(batch, TimeSpan.Zero, false, default)).IsAccepted);
        }

        var perReading = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)(Rounds * Readings);
        Assert.InRange(perReading, 16, 20);
        Assert.Equal(2L * Rounds * Readings, outbox.Accepted);
    }

    /// <summary>A file that takes everything at once and keeps nothing.</summary>
    private sealed class SinkFile : IOutboxFile
    {
        public OutboxSpace Space { get; } = new(0, HasRoom: true);

        public ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken) =>
            new(new OutboxImage { OutboxId = 1 });

        public ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken) =>
            ValueTask.CompletedTask;

        public ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken) => default;

        public ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken) => default;

        public ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken) =>
            new((IReadOnlyList<QuarantineRow>)[]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
