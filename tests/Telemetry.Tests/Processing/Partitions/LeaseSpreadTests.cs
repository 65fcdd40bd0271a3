using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Processing;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Processes that share the partitions of one database: who takes, who lets go, who ends whom.</summary>
public sealed class LeaseSpreadTests
{
    private const int Partitions = 8;
    // A long lease, so that the time in which another holds a partition can be looked into.
    private static readonly ProcessorOptions Options = new()
    {
        Partitions = Partitions,
        Lease = TimeSpan.FromSeconds(10),
        RenewEvery = TimeSpan.FromSeconds(2),
    };

    private readonly Pump _pump = new();
    private readonly SimulatedStore _store;
    private readonly SimulatedFrameLog _log;
    private readonly SimulatedControlChannel _control;

    public LeaseSpreadTests()
    {
        _store = new SimulatedStore(_pump, new Random(1));
        _log = new SimulatedFrameLog(_pump, new Random(2));
        _control = new SimulatedControlChannel(_pump, new Random(3));
    }

    [Fact]
    public void Partitions_spread_over_the_processes_that_are_alive_and_nothing_is_given_up() => _pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (a, runningA) = Start("a", first.Token);
        await Pass(5);
        Assert.Equal(Partitions, a.Counters.Partitions);

        var (b, runningB) = Start("b", second.Token);
        await Pass(30);
        Assert.Equal((4, 4), (a.Counters.Partitions, b.Counters.Partitions));
        var spread = Owners();
        await Pass(30);
        Assert.Equal(spread, Owners());
        Assert.Equal((0, 0), (a.Counters.NotOwner, b.Counters.NotOwner));
        Assert.Equal((0, 0), (a.Counters.Errors, b.Counters.Errors));

        first.Cancel();
        await runningA;
        await Pass(5);
        Assert.Equal(Partitions, b.Counters.Partitions);
        second.Cancel();
        await runningB;
    });

    [Fact]
    public void Partition_that_another_asks_for_is_left_to_it_until_it_is_dead() => _pump.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        await _store.LookAtLeasesAsync(new LiveWorker("b", 1, 2, 0), TimeSpan.FromMinutes(1), default);

        var (a, running) = Start("a", stop.Token);
        await Pass(20);

        // The other process' worker asks for the odd ones alone, and holds fewer than its share of them.
        Assert.Equal(4, a.Counters.Partitions);
        await Pass(60);
        Assert.Equal(Partitions, a.Counters.Partitions);
        stop.Cancel();
        await running;
    });

    [Fact]
    public void Frozen_owner_is_ended_once_its_lease_ran_out_and_the_others_go_on_meanwhile() => _pump.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        var life = new ProcessLife(_pump);
        var frozen = new Processor(
            _store, _log, _control, Options with { Owner = "frozen" }, life.Time, new Random(7), NullLogger.Instance);
        _ = life.Run(() => frozen.RunAsync(default));
        await Pass(3);
        var (b, running) = Start("b", stop.Token);
        await Pass(30);
        Assert.Equal((4, 4), (frozen.Counters.Partitions, b.Counters.Partitions));

        _store.Freezes = commit => commit.Partitions.Any(p => Owners()[p.Expected.Partition] == "frozen");
        await Pass(3);
        Assert.Equal(1, _store.Held.Count);
        life.Kill();
        _store.Freezes = _ => false;
        var commits = b.Counters.Commits;
        await Pass(5);
        Assert.True(b.Counters.Commits >= commits + 2, "its own leases are renewed");
        await Pass(Options.Lease.TotalSeconds + 5);

        Assert.Equal(Partitions, b.Counters.Partitions);
        Assert.Equal((1, 0), (_store.Held.Ended, b.Counters.NotOwner));
        Assert.Equal(1, b.Counters.HoldersEnded);
        stop.Cancel();
        await running;
    });

    [Fact]
    public void Busy_partition_does_not_hold_up_the_others_of_its_owner() => _pump.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        var (a, running) = Start("a", stop.Token);
        await Pass(3);

        // Somebody beside the owner, as a retry of dead letters is, and frozen.
        var row = _store.Content.Partitions[3].Row;
        _store.Freezes = commit => commit.Partitions.Count == 1;
        var commit = new StoreCommit
        {
            Partitions = { new PartitionStep(row, row.Live, row.Backlog, row.Alerts, Options.Lease) },
        };
        var other = _store.CommitAsync(commit, default);
        await Pass(4);
        Assert.Equal(Partitions - 1, a.Counters.Partitions);
        Assert.Equal(0, _store.Held.Ended);

        await Pass(Options.Lease.TotalSeconds + 5);
        Assert.Equal(Partitions, a.Counters.Partitions);
        Assert.Equal((1, 1), (_store.Held.Ended, a.Counters.NotOwner));
        await Assert.ThrowsAsync<StoreException>(() => other);
        stop.Cancel();
        await running;
    });

    private (Processor Processor, Task Running) Start(string owner, CancellationToken stop)
    {
        var processor = new Processor(
            _store, _log, _control, Options with { Owner = owner }, _pump.Clock, new Random(owner[0]),
            NullLogger.Instance);
        return (processor, processor.RunAsync(stop));
    }

    private string[] Owners() => [.. _store.Content.Partitions.OrderBy(p => p.Key).Select(p => p.Value.Owner)];

    private Task Pass(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), _pump.Clock);
}
