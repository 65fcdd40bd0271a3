using Telemetry.Edge.Outbox;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>What the agent promises: no reading older than W is outside the sequences named.</summary>
public sealed class OutboxPromiseTests
{
    private const long LatenessMicros = 2_000_000;

    [Fact]
    public void Nothing_is_promised_before_the_first_commit() =>
        OutboxRig.Run(rig =>
        {
            Assert.Null(rig.Outbox.CurrentPromise());
            return Task.CompletedTask;
        });

    [Fact]
    public void W_stays_the_allowed_lateness_behind_the_clock() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.After(TimeSpan.FromHours(1));
        await rig.AcceptAsync(3);
        var promise = (await rig.HeaderAsync(rig.Sealed[0])).Promise!;
        Assert.Equal(rig.Now - LatenessMicros, promise.W);
        Assert.Equal([new EpochLasts(rig.Sealed[0].Key.Epoch, new LaneLasts(0, 3, 0))], promise.Epochs);
        Assert.Equal(promise, rig.Outbox.CurrentPromise());
    });

    [Fact]
    public void An_unsealed_reading_holds_W_back_until_it_is_sealed() => OutboxRig.Run(async rig =>
    {
        var old = rig.Now - 10 * LatenessMicros;
        await rig.AcceptAsync(2, firstTime: old);
        Assert.Equal(old, rig.Outbox.CurrentPromise()!.W);
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1);
        Assert.Equal(old, (await rig.HeaderAsync(rig.Sealed[0])).Promise!.W);
        await rig.SealAsync();
        Assert.Equal(rig.Now - LatenessMicros, rig.Outbox.CurrentPromise()!.W);
        Assert.Equal(new LaneLasts(0, 1, 2), rig.Outbox.CurrentPromise()!.Epochs[0].Lasts);
    });

    [Fact]
    public void A_reading_that_comes_late_lets_W_fall_while_it_is_unsealed() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(1);
        rig.Outbox.LinkUp = false;
        await rig.AcceptAsync(1, firstTime: 77);
        Assert.Equal(77, rig.Outbox.CurrentPromise()!.W);
    });

    [Fact]
    public void Backlog_frames_promise_nothing() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(2);
        await rig.SealAsync();
        Assert.Null((await rig.HeaderAsync(rig.Sealed[0])).Promise);
    });

    [Fact]
    public void A_frame_does_not_promise_what_is_sealed_behind_it() => OutboxRig.Run(
        async rig =>
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(25, firstTime: 1000);
            var promises = new List<Promise>();
            foreach (var frame in rig.Sealed)
            {
                promises.Add((await rig.HeaderAsync(frame)).Promise!);
            }

            Assert.Equal([1010, 1020, rig.Now - LatenessMicros], promises.Select(p => p.W));
            Assert.Equal([10L, 20, 25], promises.Select(p => p.Epochs[0].Lasts.Live));
        },
        new OutboxOptions { SegmentReadingsMax = 10 });

    [Fact]
    public void Other_open_epochs_are_named() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        var earlier = rig.Sealed[0].Key.Epoch;
        await rig.OpenAsync();
        Assert.Equal([new EpochLasts(earlier, new LaneLasts(0, 3, 0))], rig.Outbox.CurrentPromise()!.Epochs);
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(2);
        Assert.Equal(
            [new EpochLasts(
                rig.Sealed[0].Key.Epoch, new LaneLasts(0, 2, 0)), new EpochLasts(earlier, new LaneLasts(0, 3, 0))],
            (await rig.HeaderAsync(rig.Sealed[0])).Promise!.Epochs);
    });

    [Fact]
    public void With_more_than_16_open_epochs_nothing_is_promised() => OutboxRig.Run(async rig =>
    {
        long w = 0;
        for (var i = 1; i <= 17; i++)
        {
            await rig.OpenAsync();
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(1);
            Assert.Equal(i <= 16, (await rig.HeaderAsync(rig.Sealed[0])).Promise is not null);
            w = i == 16 ? rig.Outbox.CurrentPromise()!.W : w;
            await rig.After(TimeSpan.FromSeconds(5));
        }

        Assert.Null(rig.Outbox.CurrentPromise());
        Assert.Equal(w, rig.Disk.Snapshot().PromisedW);
        rig.Outbox.MarkComplete(rig.Outbox.OpenEpochs[0].Epoch);
        Assert.Equal(w, rig.Outbox.CurrentPromise()!.W);
        await rig.AcceptAsync(1);
        Assert.Equal(rig.Now - LatenessMicros, rig.Outbox.CurrentPromise()!.W);
    });

    [Fact]
    public void W_moves_on_in_an_idle_outbox() => OutboxRig.Run(
        async rig =>
        {
            rig.Outbox.LinkUp = true;
            await rig.AcceptAsync(1);
            await rig.After(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
            Assert.Equal(11, rig.Disk.Commits);
            Assert.Equal(rig.Now - 1_000_000 - LatenessMicros, rig.Outbox.CurrentPromise()!.W);
        },
        new OutboxOptions { IdleCommitInterval = TimeSpan.FromMinutes(1) });

    [Fact]
    public void An_outbox_that_never_took_anything_writes_nothing() => OutboxRig.Run(
        async rig =>
        {
            await rig.After(TimeSpan.FromMinutes(10));
            Assert.Equal(0, rig.Disk.Commits);
        },
        new OutboxOptions { IdleCommitInterval = TimeSpan.FromMinutes(1) });
}
