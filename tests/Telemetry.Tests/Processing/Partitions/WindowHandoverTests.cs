using Telemetry.Model.Identity;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Parts of windows in memory, when a processor stops or lets a partition go.</summary>
public sealed class WindowHandoverTests
{
    private const int Partitions = 2, Readings = 3;
    private static readonly TimeSpan HandoverMax = TimeSpan.FromSeconds(1);

    private readonly WindowRig _rig = new(Partitions);

    [Fact]
    public void Clean_stop_writes_the_parts_within_a_second_and_the_next_owner_folds_nothing_anew() =>
        _rig.Pump.Run(async () =>
        {
            using CancellationTokenSource first = new(), second = new();
            var (_, runningA) = await _rig.Start("a", first.Token);
            await SendAll(1);
            Assert.Equal((0, Partitions), (_rig.InParts, _rig.Open));

            var asked = _rig.Pump.Clock.GetUtcNow();
            first.Cancel();
            await runningA;

            Assert.True(_rig.Pump.Clock.GetUtcNow() - asked < HandoverMax);
            Assert.Equal((Readings * Partitions, 0), (_rig.InParts, _rig.Open));
            var (b, runningB) = await _rig.Start("b", second.Token);
            await SendAll(2);
            second.Cancel();
            await runningB;
            Assert.Equal((0, 0), (b.Counters.Windows.Rebuilt, b.Counters.NotOwner));
            _rig.AssertWhole();
        });

    [Fact]
    public void Partition_that_is_let_go_has_its_parts_written_before() => _rig.Pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (a, runningA) = await _rig.Start("a", first.Token);
        await SendAll(1);
        Assert.Equal((0, Partitions), (_rig.InParts, _rig.Open));
        Assert.Equal(Partitions, a.Counters.Windows.Open);

        var (b, runningB) = await _rig.Start("b", second.Token);
        await _rig.Pass(30);

        Assert.Equal((1, 1), (a.Counters.Partitions, b.Counters.Partitions));
        Assert.Equal((Readings, 1), (_rig.InParts, _rig.Open));
        Assert.Equal(1, a.Counters.Windows.Open);
        Assert.Equal((0, 0), (b.Counters.Windows.Rebuilt, a.Counters.NotOwner + b.Counters.NotOwner));
        first.Cancel();
        second.Cancel();
        await runningA;
        await runningB;
    });

    [Fact]
    public void Stop_whose_last_transaction_fails_leaves_the_windows_to_the_next_owner() => _rig.Pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (_, runningA) = await _rig.Start("a", first.Token);
        await SendAll(1);
        _rig.Store.Calls.LosesRequest = call => call == "commit";
        first.Cancel();
        await runningA;
        Assert.Equal((0, Partitions), (_rig.InParts, _rig.Open));

        _rig.Store.Calls.LosesRequest = _ => false;
        var (b, runningB) = await _rig.Start("b", second.Token);
        await _rig.Pass(5);
        second.Cancel();
        await runningB;

        Assert.Equal(Partitions, b.Counters.Windows.Rebuilt);
        Assert.Equal(0, _rig.Open);
        _rig.AssertWhole();
    });

    [Fact]
    public void Frozen_database_delays_a_stop_by_less_than_a_second() => _rig.Pump.Run(async () =>
    {
        using CancellationTokenSource first = new();
        var (_, runningA) = await _rig.Start("a", first.Token);
        await SendAll(1);
        _rig.Store.Freezes = _ => true;
        var asked = _rig.Pump.Clock.GetUtcNow();

        first.Cancel();
        await runningA;

        Assert.True(_rig.Pump.Clock.GetUtcNow() - asked < HandoverMax);
        Assert.Equal((0, Partitions), (_rig.InParts, _rig.Open));
    });

    /// <summary>Sends the schema and a frame of each gateway, and waits until they are stored.</summary>
    private async Task SendAll(int number)
    {
        foreach (var gateway in _rig.Gateways)
        {
            await _rig.SendSchema(gateway);
            await _rig.SendFrame(gateway, Lane.Live, Enumerable.Range(0, Readings).Select(i => _rig.NowMicros - i));
        }

        await _rig.Pass(5);
        Assert.Equal(number * Readings * Partitions, _rig.Stored);
    }
}
