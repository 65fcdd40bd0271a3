using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>A frame is freed in whose place the database has other content: when the judge notes it.</summary>
public sealed class FreeJudgeTests
{
    private const ulong Other = 815;

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    // Found by the simulation: an ingress took a late copy of a frame that had been refused and that its agent had
    // replaced by a tombstone. Nothing is lost when the agent frees the tombstone: it has no readings.
    [Fact]
    public void Tombstone_of_a_forked_gateway_may_be_freed_where_the_frame_that_it_replaced_is_stored() =>
        Assert.Empty(Freed(isForked: true, isTombstone: true, replaced => replaced));

    [Fact]
    public void Tombstone_of_another_gateway_may_not() =>
        Assert.Single(Freed(isForked: false, isTombstone: true, replaced => replaced));

    [Fact]
    public void Tombstone_may_not_be_freed_where_readings_are_stored_that_it_did_not_replace() =>
        Assert.Single(Freed(isForked: true, isTombstone: true, _ => Other));

    [Fact]
    public void Readings_may_not_be_freed_where_others_are_stored() =>
        Assert.Single(Freed(isForked: true, isTombstone: false, _ => Other));

    [Fact]
    public void Readings_of_a_forked_gateway_may_be_freed_where_a_tombstone_is_stored() =>
        Assert.Empty(Freed(isForked: true, isTombstone: false, _ => Other, isStoredTombstone: true));

    private static string[] Freed(
        bool isForked, bool isTombstone, Func<ulong, ulong> stored, bool isStoredTombstone = false)
    {
        var pump = new Pump();
        var database = new JudgedStore(new SimulatedStore(pump, new Random(1)));
        var findings = new Findings(pump.Clock, new Trace(pump.Clock));
        var gateway = new GatewayFacts(Gateway) { IsForked = isForked };
        var judge = new FreeJudge(gateway, database, findings);
        var disk = new SimulatedOutboxDisk(new Random(1));
        disk.Durable = commit => gateway.Sealed.Durable(commit, disk.Snapshot());
        pump.Run(async () =>
        {
            await using var outbox = await ReadingOutbox.OpenAsync(
                disk.Open(), Gateway, new OutboxOptions(), pump.Clock, new Random(1), default);
            var frame = await SealAsync(outbox, NowMicros(pump.Clock));
            var checksum = stored(frame.Checksum);
            if (isTombstone)
            {
                await outbox.QuarantineAsync(frame, "refused", default);
                frame = Assert.Single(outbox.Held);
                Assert.Equal(frame.Key.Count, frame.Dropped);
            }

            var dropped = isStoredTombstone ? 1 : 0;
            database.Index.TryAdd(
                new FrameRegisterRow(Gateway, frame.Key, 1 - dropped, 0, dropped, 0, 0, checksum, 0), out _);
            var writer = new WireWriter();
            new StoredAck { Token = 1 }.Write(writer);
            judge.Takes(writer.ToArray(), outbox);
            outbox.Free(frame);
            judge.Took();
        });
        return [.. findings.Lines];
    }

    private static async Task<HeldFrame> SealAsync(ReadingOutbox outbox, long nowMicros)
    {
        outbox.LinkUp = true;
        var batch = new ReadingBatch();
        batch.Add(
            outbox.SeriesIndex(new SeriesDefinition { Device = "pump-1", Metric = "heat", Type = MetricType.Float }),
            nowMicros, 1.0);
        Assert.True((await outbox.OfferAsync(batch, TimeSpan.Zero, critical: true, default)).IsAccepted);
        return Assert.Single(outbox.Held);
    }

    private static long NowMicros(SimulatedClock clock) =>
        (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
