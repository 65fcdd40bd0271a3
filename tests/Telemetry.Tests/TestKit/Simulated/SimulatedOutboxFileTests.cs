using Telemetry.Edge.Outbox;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

public sealed class SimulatedOutboxFileTests : OutboxFileContract
{
    private readonly SimulatedOutboxDisk _disk = new(new Random(1));

    [Fact]
    public async Task The_file_of_a_dead_process_is_of_no_use()
    {
        var before = _disk.Open();
        _disk.Open();
        await Assert.ThrowsAsync<OutboxException>(() => before.CommitAsync(Commit(1), default).AsTask());
        await Assert.ThrowsAsync<OutboxException>(() => before.LoadAsync(Gateway, default).AsTask());
    }

    [Fact]
    public void A_power_cut_loses_or_keeps_the_commit_that_nobody_was_told_of()
    {
        var kept = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var disk = new SimulatedOutboxDisk(new Random(seed));
            new Pump().Run(async () =>
            {
                var file = disk.Open();
                await file.CommitAsync(Commit(1), default);
                disk.BeforeDurable = () => new ValueTask(new TaskCompletionSource().Task);
                var told = file.CommitAsync(Commit(2), default).AsTask();
                disk.PowerCut();
                Assert.False(told.IsCompleted);
            });
            Assert.InRange(disk.Snapshot().Accepted, 1, 2);
            kept += disk.Snapshot().Accepted == 2 ? 1 : 0;
        }

        Assert.InRange(kept, 5, 35);
    }

    [Fact]
    public async Task An_older_copy_can_be_put_back()
    {
        await CommitAsync(Commit(1) with { Segments = [Segment(1, 1)] });
        var copy = _disk.Snapshot();
        await CommitAsync(Commit(2) with { RemovedSegments = [1] });
        _disk.Restore(copy);
        var image = await ReopenAsync();
        Assert.Equal(1, image.Accepted);
        Assert.Single(image.Segments);
        Assert.NotNull((await ReadSegmentAsync(1)).Data);
    }

    protected override Task<IOutboxFile> OpenFileAsync() => Task.FromResult(_disk.Open());
}
