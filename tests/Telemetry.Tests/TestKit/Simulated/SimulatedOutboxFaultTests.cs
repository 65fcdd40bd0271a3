using Telemetry.Edge.Outbox;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Tests.TestKit.Simulated;

public sealed class SimulatedOutboxFaultTests : OutboxFaultContract
{
    private readonly SimulatedOutboxDisk _disk = new(new Random(1));

    [Fact]
    public async Task A_power_cut_brings_back_a_commit_whose_end_failed_or_does_not()
    {
        var back = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var disk = new SimulatedOutboxDisk(new Random(seed)) { CommitFault = () => OutboxFault.Io };
            var file = disk.Open();
            await Assert.ThrowsAsync<OutboxException>(
                () => file.CommitAsync(new OutboxCommit { Accepted = 1, PromisedW = 0 }, default).AsTask());
            Assert.Equal(0, disk.Snapshot().Accepted);
            disk.PowerCut();
            back += disk.Snapshot().Accepted == 1 ? 1 : 0;
        }

        Assert.InRange(back, 5, 35);
    }

    [Fact]
    public async Task A_full_disk_refuses_readings_and_takes_what_drains_it()
    {
        _disk.CapacityBytes = Bytes.Length + 1;
        await CommitAsync(1, segment: 1);
        var error = await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(2, segment: 2));
        Assert.Equal(OutboxFault.Full, error.Fault);
        await CommitAsync(2, segment: 2, removed: 1);
    }

    protected override Task<IOutboxFile> OpenFileAsync() => Task.FromResult(_disk.Open());

    protected override void FailNextCommit(OutboxFault fault) => _disk.CommitFault = () =>
    {
        _disk.CommitFault = null;
        return fault;
    };

    protected override void FailNextRead(OutboxFault fault) => _disk.ReadFault = () =>
    {
        _disk.ReadFault = null;
        return fault;
    };
}
