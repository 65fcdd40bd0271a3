using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox.Frames;

/// <summary>What the tests' hook takes away is declared, to the reading.</summary>
public sealed class TestDropsTests
{
    private static readonly OutboxOptions Dropping = new()
    {
        TestDropEvery = TestDrops.EveryMin,
        IdleCommitInterval = TimeSpan.FromHours(1),
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_reading_is_in_a_frame_or_declared_by_it_with_its_series_and_time(bool linkUp) => OutboxRig.Run(
        async rig =>
        {
            rig.Outbox.LinkUp = linkUp;
            var offered = new HashSet<(int, long)>();
            Array.ForEach(["a", "b", "c"], metric => rig.Series(metric));
            for (var i = 0; i < 2 * TestDrops.TombstoneEvery; i++)
            {
                var batch = new ReadingBatch();
                for (var n = 0; n < 120; n++)
                {
                    batch.Add(n % 3, (i * 1000) + n, 1.5);
                    offered.Add((n % 3, (i * 1000) + n));
                }

                await rig.Offer(batch);
                await rig.SealAsync(framesMax: 1, readingsMax: 120);
            }

            int inside = 0, whole = 0;
            foreach (var frame in rig.Sealed)
            {
                var (header, readings, declarations) = await rig.ReadAsync(frame);
                for (var row = 0; row < readings.Count; row++)
                {
                    Assert.True(offered.Remove((readings.Series[row], readings.Times[row])));
                }

                foreach (var declared in declarations)
                {
                    Assert.Equal(DropReason.Test, declared.Reason);
                    Assert.Contains((declared.Series, declared.TimeFirst), offered);
                    Assert.Equal(declared.Count, offered.RemoveWhere(r => r.Item1 == declared.Series
                        && r.Item2 >= declared.TimeFirst && r.Item2 <= declared.TimeLast));
                }

                inside += header is { Kind: FrameKind.Readings, Dropped: > 0 } ? 1 : 0;
                whole += header.Kind == FrameKind.Tombstone ? 1 : 0;
            }

            Assert.Empty(offered);
            Assert.True(inside > 20 && whole == 2, $"{inside} frames with drops inside, {whole} tombstones");
        },
        Dropping);

    [Fact]
    public void Frame_with_drops_inside_that_the_cloud_refuses_is_declared_whole() => OutboxRig.Run(
        async rig =>
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(120);
            var frame = Assert.Single(rig.Sealed);

            await rig.Outbox.QuarantineAsync(frame, "odd", CancellationToken.None);

            var (header, _, declarations) = await rig.ReadAsync(rig.Outbox.Find(frame.Id)!);
            Assert.Equal((FrameKind.Tombstone, 120), (header.Kind, declarations.Sum(d => d.Count)));
        },
        Dropping);
}
