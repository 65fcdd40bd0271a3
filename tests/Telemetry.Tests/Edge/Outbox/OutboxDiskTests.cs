using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Identity;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>The outbox on a disk that is full, read-only or failing, and works again.</summary>
public sealed class OutboxDiskTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(OutboxFault.Full, OfferRefusal.Disk)]
    [InlineData(OutboxFault.ReadOnly, OfferRefusal.Disk)]
    [InlineData(OutboxFault.Busy, OfferRefusal.Disk)]
    [InlineData(OutboxFault.Corrupt, OfferRefusal.Disk)]
    [InlineData(OutboxFault.Io, OfferRefusal.Unknown)]
    public void No_reading_is_acknowledged_whose_commit_failed_and_nothing_breaks(
        OutboxFault fault, OfferRefusal refusal) => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(2);
        rig.Disk.CommitFault = () => fault;

        var outcome = await rig.Offer(rig.Batch(3));

        Assert.Equal(refusal, outcome.Refusal);
        Assert.Equal((2L, 2L), (rig.Outbox.Accepted, rig.Outbox.UnsealedReadings));
        Assert.Equal(fault, rig.Outbox.Standing.DiskFailure!.Fault);
        Assert.Contains("readings are refused", rig.Outbox.Standing.Problem, StringComparison.Ordinal);
        Assert.False(rig.Outbox.Failed.IsCompleted);
        rig.Disk.CommitFault = null;
        await rig.After(Second);
        await rig.AcceptAsync(3);
        Assert.Null(rig.Outbox.Standing.Problem);
        Assert.Equal((5L, 5L), (rig.Outbox.Accepted, rig.Disk.Snapshot().UnsealedReadings));
    });

    [Fact]
    public void A_disk_that_goes_on_failing_is_asked_ever_less_often_and_once_in_half_a_minute_at_least() =>
        OutboxRig.Run(async rig =>
        {
            await rig.AcceptAsync();
            var asked = 0;
            rig.Disk.CommitFault = () =>
            {
                asked++;
                return OutboxFault.Full;
            };
            for (var i = 0; i < 600; i++)
            {
                Assert.False((await rig.Offer(rig.Batch())).IsAccepted);
                await rig.After(Second);
            }

            Assert.InRange(asked, 600 / 31, 30);
            Assert.Equal(600, rig.Outbox.Standing.RefusedReadings);
        });

    [Fact]
    public void A_full_disk_is_drained_and_takes_readings_again_by_itself() => OutboxRig.Run(async rig =>
    {
        rig.Disk.CapacityBytes = 3000;
        rig.Series();
        while ((await rig.Offer(rig.Batch(50))).IsAccepted)
        {
            await rig.After(Second);
        }

        var accepted = rig.Outbox.Accepted;
        Assert.Equal(OutboxFault.Full, rig.Outbox.Standing.DiskFailure!.Fault);
        while (rig.Outbox.UnsealedReadings > 0)
        {
            Assert.Equal(1, await rig.SealAsync());
        }

        foreach (var frame in rig.Outbox.Held)
        {
            rig.Outbox.Free(frame);
        }

        await rig.After(Second * 2);
        Assert.Empty(rig.Disk.Snapshot().Frames);
        Assert.Null(rig.Outbox.Standing.Problem);
        Assert.True((await rig.Offer(rig.Batch(50))).IsAccepted);
        Assert.Equal(accepted + 50, rig.Outbox.Accepted);
    });

    [Fact]
    public void What_a_commit_that_was_undone_had_taken_is_in_the_next_one() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(5);
        var first = Assert.Single(rig.Sealed);
        rig.Outbox.Free(first);
        var second = rig.Series("another");
        rig.Disk.CommitFault = () => OutboxFault.Busy;
        Assert.False((await rig.Offer(rig.Batch(4, second))).IsAccepted);
        Assert.Single(rig.Sealed);
        Assert.Contains(first.Key, rig.Outbox.FreedNotDurably);
        rig.Disk.CommitFault = null;
        await rig.After(Second);
        await rig.AcceptAsync(3, second);

        Assert.Equal((6L, 3), (rig.Sealed[1].Key.First, rig.Sealed[1].Key.Count));
        Assert.DoesNotContain(first.Id, rig.Disk.Snapshot().Frames.Keys);
        Assert.Equal(2, rig.Outbox.Schemas.Count);
        await rig.OpenAsync();
        Assert.Equal(2, rig.Outbox.Series.Count);
        Assert.Equal(8, rig.Outbox.Accepted);
        Assert.Equal(5, rig.Outbox.OpenEpochs[0].Freed(Lane.Live).Runs[0].Range.Last);
    });

    [Fact]
    public void Sealing_backlog_on_a_failing_disk_seals_nothing_and_loses_nothing() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(5);
        rig.Disk.CommitFault = () => OutboxFault.Io;
        Assert.Equal(0, await rig.SealAsync());
        Assert.Equal(0, await rig.SealAsync());
        rig.Disk.CommitFault = null;
        rig.Disk.ReadFault = () => OutboxFault.Io;
        await rig.After(Second);
        Assert.Equal(0, await rig.SealAsync());
        rig.Disk.ReadFault = null;
        Assert.Equal(1, await rig.SealAsync());
        Assert.Equal((1L, 5), (rig.Sealed[0].Key.First, rig.Sealed[0].Key.Count));
        Assert.Null(rig.Outbox.Standing.Problem);
    });

    [Fact]
    public void Closing_with_a_failing_disk_ends() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(5);
        rig.Disk.CommitFault = () => OutboxFault.Io;
        var offer = rig.Offer(rig.Batch(), Second);
        await rig.Outbox.DisposeAsync();
        Assert.Equal(OfferRefusal.Unknown, (await offer).Refusal);
        Assert.Equal(TimeSpan.Zero, rig.Clock.Elapsed);
    });

    [Fact]
    public void Quota_reached_is_said_once_until_it_has_drained() => OutboxRig.Run(
        async rig =>
        {
            rig.Series();
            var changes = new List<bool>();
            rig.Outbox.Standing.Changed += () => changes.Add(rig.Outbox.Standing.AtQuota);
            while ((await rig.Offer(rig.Batch(50))).IsAccepted)
            {
            }

            Assert.False((await rig.Offer(rig.Batch(50))).IsAccepted);
            Assert.Equal([true], changes);
            Assert.Equal(100, rig.Outbox.Standing.RefusedReadings);
            Assert.Contains("quota", rig.Outbox.Standing.Problem, StringComparison.Ordinal);
            await rig.SealAsync();
            foreach (var frame in rig.Outbox.Held)
            {
                rig.Outbox.Free(frame);
            }

            await rig.After(Second * 2);
            Assert.Equal([true, false], changes);
            await rig.AcceptAsync(10);
        },
        new OutboxOptions { QuotaBytes = 4000, IdleCommitInterval = TimeSpan.FromHours(1) });
}
