using Telemetry.Edge.Outbox;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>When epochs begin, what they say of the one before, and how long they are open.</summary>
public sealed class OutboxEpochTests
{
    [Fact]
    public void An_epoch_begins_with_the_first_frame() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(5);
        Assert.Empty(rig.Outbox.OpenEpochs);
        await rig.SealAsync();
        var epoch = Assert.Single(rig.Outbox.OpenEpochs);
        Assert.True(epoch.IsOwn);
        Assert.NotEqual(0UL, epoch.Epoch);
        Assert.Equal(new LaneLasts(0, 0, 5), epoch.Sealed);
    });

    [Fact]
    public void The_predecessor_stands_in_each_lanes_first_frame_alone() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(7);
        await rig.OpenAsync();
        rig.Outbox.LinkUp = true;
        var before = new Predecessor(rig.Outbox.OpenEpochs[0].Epoch, new LaneLasts(0, 7, 0));
        for (var i = 0; i < 2; i++)
        {
            await rig.AcceptAsync(2);
            await rig.AcceptAsync(2, critical: true);
        }

        Assert.Equal([Lane.Live, Lane.Critical, Lane.Live, Lane.Critical], rig.Sealed.Select(f => f.Key.Lane));
        Assert.Equal(before, (await rig.HeaderAsync(rig.Sealed[0])).Predecessor);
        Assert.Equal(before, (await rig.HeaderAsync(rig.Sealed[1])).Predecessor);
        Assert.Null((await rig.HeaderAsync(rig.Sealed[2])).Predecessor);
        Assert.Null((await rig.HeaderAsync(rig.Sealed[3])).Predecessor);
        Assert.Equal(before, rig.Outbox.OpenEpochs[1].Predecessor);
    });

    [Fact]
    public void The_first_epoch_names_no_predecessor_by_id_0() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(1, critical: true);
        Assert.Equal(default(Predecessor), (await rig.HeaderAsync(rig.Sealed[0])).Predecessor);
    });

    [Fact]
    public void Sealed_frames_of_an_earlier_run_keep_their_epoch_and_bytes() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        var before = rig.Sealed[0];
        await rig.OpenAsync();
        var frame = Assert.Single(rig.Outbox.Held);
        Assert.Equal(before.Key, frame.Key);
        Assert.Equal(before.Checksum, frame.Checksum);
        Assert.Equal(3, (await rig.ReadAsync(frame)).Readings.Count);
        Assert.False(Assert.Single(rig.Outbox.OpenEpochs).IsOwn);
    });

    [Fact]
    public void A_fork_begins_a_new_epoch_with_the_next_frame() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        rig.Outbox.StartNewEpoch("the cloud knows more than we sealed");
        Assert.Single(rig.Outbox.OpenEpochs);
        await rig.AcceptAsync(2);

        Assert.Equal(2, rig.Outbox.OpenEpochs.Count);
        var (old, own) = (rig.Outbox.OpenEpochs[0], rig.Outbox.OpenEpochs[1]);
        Assert.Equal((false, true), (old.IsOwn, own.IsOwn));
        Assert.Equal(1, rig.Sealed[1].Key.First);
        Assert.Equal(new Predecessor(old.Epoch, new LaneLasts(0, 3, 0)), own.Predecessor);
        await rig.AcceptAsync(2);
        Assert.Equal(own.Epoch, rig.Sealed[2].Key.Epoch);
    });

    // The cloud calls complete what has ended: a frame that became durable in it later would be lost in silence.
    [Theory]
    [InlineData(null, 5)]
    [InlineData(OutboxFault.Full, 3)]
    public void An_epoch_ends_behind_the_commit_that_seals_into_it(OutboxFault? fault, long last) =>
        OutboxRig.Run(async rig =>
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(3);
            var epoch = Assert.Single(rig.Outbox.OpenEpochs);
            rig.Disk.BeforeDurable = () => new ValueTask(rig.After(TimeSpan.FromSeconds(1)));
            rig.Disk.CommitFault = () => fault;
            var offer = rig.Offer(rig.Batch(2));
            await rig.After(TimeSpan.FromSeconds(0.5));
            rig.Outbox.StartNewEpoch("a fork");
            rig.Outbox.MarkComplete(epoch.Epoch);
            Assert.Equal((true, false, 3), (epoch.IsOwn, epoch.Complete, epoch.Sealed.Live));

            Assert.Equal(fault is null, (await offer).IsAccepted);
            Assert.Equal((false, last), (epoch.IsOwn, epoch.Sealed.Live));
        });

    [Fact]
    public void An_epoch_whose_last_commit_has_an_unknown_end_does_not_end() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        rig.Disk.BeforeDurable = () => new ValueTask(rig.After(TimeSpan.FromSeconds(1)));
        var offer = rig.Offer(rig.Batch(2));
        await rig.After(TimeSpan.FromSeconds(0.5));
        rig.Outbox.EndEpoch();
        rig.Disk.PowerCut();

        await Assert.ThrowsAsync<OutboxException>(() => offer);
        Assert.True(Assert.Single(rig.Outbox.OpenEpochs).IsOwn);
    });

    [Fact]
    public void Epoch_that_a_commit_begins_while_the_one_before_ends_goes_on() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        rig.Outbox.EndEpoch();
        rig.Disk.BeforeDurable = () => new ValueTask(rig.After(TimeSpan.FromSeconds(1)));
        var offer = rig.Offer(rig.Batch(2));
        await rig.After(TimeSpan.FromSeconds(0.5));
        rig.Outbox.EndEpoch();
        await offer;

        Assert.Equal([false, true], rig.Outbox.OpenEpochs.Select(e => e.IsOwn));
    });

    [Fact]
    public void Only_an_epoch_that_has_ended_can_be_complete_and_it_can_be_open_again() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        var earlier = rig.Sealed[0];
        rig.Outbox.MarkComplete(earlier.Key.Epoch);
        Assert.Empty(rig.Outbox.CompleteEpochs);

        await rig.OpenAsync();
        rig.Outbox.Free(rig.Outbox.Held.Single());
        rig.Outbox.MarkComplete(earlier.Key.Epoch);
        rig.Outbox.MarkComplete(1234);
        var lasts = new EpochLasts(earlier.Key.Epoch, new LaneLasts(0, 3, 0));
        Assert.Equal([lasts], rig.Outbox.CompleteEpochs);
        Assert.Equal(CompleteEpochs.Digest([lasts]), rig.Outbox.CompleteDigest);
        Assert.Empty(rig.Outbox.OpenEpochs);

        rig.Outbox.Reopen(earlier.Key.Epoch);
        Assert.Equal(0UL, rig.Outbox.CompleteDigest);
        var open = Assert.Single(rig.Outbox.OpenEpochs);
        Assert.Equal(earlier.Key.Share(earlier.Checksum), Assert.Single(open.Freed(Lane.Live).Runs).Share);
    });

    [Fact]
    public void Complete_epochs_are_known_after_a_restart() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        await rig.OpenAsync();
        rig.Outbox.MarkComplete(rig.Outbox.OpenEpochs[0].Epoch);
        var digest = rig.Outbox.CompleteDigest;
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1);
        Assert.Equal(digest, (await rig.HeaderAsync(rig.Sealed[0])).Promise!.Digest);

        await rig.OpenAsync();
        Assert.Equal(digest, rig.Outbox.CompleteDigest);
        Assert.Single(rig.Outbox.OpenEpochs);
    });

    [Fact]
    public void Complete_epochs_of_others_are_all_kept_and_precede_none() => OutboxRig.Run(async rig =>
    {
        EpochLasts[] others = [new(11, new LaneLasts(1, 2, 3)), new(22, default), new(33, new LaneLasts(0, 9, 0))];
        foreach (var other in others)
        {
            rig.Outbox.AdoptComplete(other);
            rig.Outbox.AdoptComplete(other);
        }

        await rig.AcceptAsync(1, critical: true);
        Assert.Equal(default(Predecessor), (await rig.HeaderAsync(rig.Sealed[0])).Predecessor);
        await rig.OpenAsync();
        Assert.Equal(others, rig.Outbox.CompleteEpochs.OrderBy(e => e.Epoch));
        Assert.Equal(CompleteEpochs.Digest(others), rig.Outbox.CompleteDigest);
        Assert.Equal(1, Assert.Single(rig.Outbox.OpenEpochs).Order);
    });

    [Fact]
    public void Schemas_are_durable_with_the_frame_that_names_them() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1, series: 0);
        await rig.AcceptAsync(1, series: 2);
        Assert.Equal(2, rig.Outbox.Schemas.Count);
        Assert.Equal(rig.Outbox.Schemas[1].Message.Id, rig.Sealed[1].Schema);

        var list = rig.Outbox.Series;
        await rig.OpenAsync();
        Assert.Equal(list.Id, rig.Outbox.Series.Id);
        Assert.Equal(2, rig.Series("m2"));
        Assert.Equal(3, rig.Series("new"));
    });

    [Fact]
    public void Frames_name_the_first_schema_that_has_all_of_their_series() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1, series: 0);
        await rig.AcceptAsync(1, series: 2);
        await rig.AcceptAsync(1, series: 3);
        await rig.AcceptAsync(1, series: 1);
        var ids = rig.Outbox.Schemas.Select(s => s.Message.Id).ToArray();
        Assert.Equal([ids[0], ids[1], ids[2], ids[1]], rig.Sealed.Select(f => f.Schema));

        await rig.OpenAsync();
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1, series: 0);
        await rig.AcceptAsync(1, series: 3);
        Assert.Equal([ids[0], ids[2]], rig.Sealed.Select(f => f.Schema));
    });

    [Fact]
    public void Series_that_no_commit_used_are_gone_after_a_restart() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(1, series: 0);
        rig.Series("forgotten");
        Assert.Equal(2, rig.Outbox.Series.Count);
        await rig.OpenAsync();
        Assert.Equal(1, rig.Outbox.Series.Count);
    });

    [Fact]
    public void Many_new_series_make_as_many_schemas_as_16_KiB_each_need() => OutboxRig.Run(async rig =>
    {
        for (var i = 0; i < 1500; i++)
        {
            Assert.Equal(i, rig.Series($"a-metric-with-a-rather-long-name-{i}"));
        }

        await rig.Offer(rig.Batch(1, series: 1499));
        Assert.InRange(rig.Outbox.Schemas.Count, 4, 6);
        Assert.Equal(
            Enumerable.Range(1, rig.Outbox.Schemas.Count).Select(i => (long)i),
            rig.Outbox.Schemas.Select(s => s.Order));
        await rig.OpenAsync();
        Assert.Equal(1500, rig.Outbox.Series.Count);
    });
}
