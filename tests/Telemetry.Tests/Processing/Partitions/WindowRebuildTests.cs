using Telemetry.Model.Identity;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Windows whose parts were in the memory of a processor that died, folded anew by the next owner.</summary>
public sealed class WindowRebuildTests
{
    private const int Readings = 400, AtOnceMax = 40;
    private const long Second = 1_000_000;

    private readonly WindowRig _rig = new(partitions: 1);
    private readonly List<int> _read = [];

    [Fact]
    public void Gateway_with_many_readings_is_folded_anew_slice_by_slice() => _rig.Pump.Run(async () =>
    {
        await DieWith(i => _rig.NowMicros - (i * Second / 2));
        using var stop = new CancellationTokenSource();

        var (b, running) = await StartNext(stop.Token);
        await _rig.Pass(10);

        Assert.Equal((1, 0), (b.Counters.Windows.Rebuilt, b.Counters.Windows.Waiting));
        Assert.True(_read.Count >= Readings / AtOnceMax, $"read {_read.Count} times");
        Assert.All(_read, count => Assert.InRange(count, 0, AtOnceMax + 1));
        Assert.Equal(0, _rig.InParts);
        await EndAndJudge(stop, running);
    });

    [Fact]
    public void Readings_stored_between_two_slices_are_in_their_windows_once() => _rig.Pump.Run(async () =>
    {
        await DieWith(i => _rig.NowMicros - (i * Second / 2));
        using var stop = new CancellationTokenSource();
        var (oldest, newest) = (_rig.NowMicros - (Readings * Second / 2), _rig.NowMicros);

        var (b, running) = await StartNext(stop.Token);
        var sent = 0;
        for (var wait = 0; b.Counters.Windows.Rebuilt == 0 && wait < 1000; wait++)
        {
            await _rig.Pass(0.05);
            if (_read.Count > 0 && sent < 15)
            {
                // Some of these are where the slices have been, some where they come to, some in no open window.
                foreach (var lane in new[] { Lane.Critical, Lane.Live, Lane.Backlog })
                {
                    var step = (newest - oldest) / 8;
                    await _rig.SendFrame(
                        _rig.Gateways[0], lane, Enumerable.Range(-1, 10).Select(i => oldest + (i * step) + sent));
                    sent++;
                }
            }
        }

        Assert.True(sent > 6, $"{sent} frames came meanwhile");
        Assert.Equal(1, b.Counters.Windows.Rebuilt);
        await EndAndJudge(stop, running);
    });

    [Fact]
    public void Transaction_that_fails_in_the_middle_takes_its_slice_back() => _rig.Pump.Run(async () =>
    {
        await DieWith(i => _rig.NowMicros - (i * Second / 2));
        using var stop = new CancellationTokenSource();
        var failed = 0;
        _rig.Store.Fails = commit => _read.Count % 3 == 2 && failed++ < 20 ? "no space" : null;

        var (b, running) = await StartNext(stop.Token);
        await _rig.Pass(120);

        Assert.InRange(failed, 3, 20);
        Assert.Equal(1, b.Counters.Windows.Rebuilt);
        await EndAndJudge(stop, running);
    });

    [Fact]
    public void Many_readings_of_one_microsecond_are_read_together() => _rig.Pump.Run(async () =>
    {
        await DieWith(i => _rig.NowMicros - (Math.Min(i, 5) * Second));
        using var stop = new CancellationTokenSource();

        var (b, running) = await StartNext(stop.Token);
        await _rig.Pass(10);

        Assert.Equal(Readings - 5, _read.Max());
        Assert.Equal(1, b.Counters.Windows.Rebuilt);
        await EndAndJudge(stop, running);
    });

    [Fact]
    public void Watermark_stands_still_until_the_last_slice() => _rig.Pump.Run(async () =>
    {
        await DieWith(i => _rig.NowMicros - (i * Second / 2));
        using var stop = new CancellationTokenSource();
        var before = _rig.Store.Content.Gateways[_rig.Gateways[0]].Watermark;
        var moved = 0;
        await _rig.SendFrame(_rig.Gateways[0], Lane.Live, [_rig.NowMicros], promised: _rig.NowMicros);
        var (_, running) = await StartNext(stop.Token);
        _rig.Store.Committed = (_, _, _) =>
        {
            var content = _rig.Store.Content.Gateways[_rig.Gateways[0]];
            if (content.Watermark != before)
            {
                moved++;
                Assert.True(_read.Count >= Readings / AtOnceMax, $"it moved after {_read.Count} slices");
            }
        };
        await _rig.Pass(10);

        Assert.True(moved > 0);
        await EndAndJudge(stop, running);
    });

    // A processor stores readings in three frames, and dies with their parts in its memory.
    private async Task DieWith(Func<int, long> timeOf)
    {
        var life = new ProcessLife(_rig.Pump);
        _ = await _rig.Start("a", new WindowOptions(), life, CancellationToken.None);
        await _rig.SendSchema(_rig.Gateways[0]);
        await _rig.SendFrame(_rig.Gateways[0], Lane.Live, Enumerable.Range(0, Readings).Select(timeOf));
        await _rig.Pass(3);
        Assert.Equal((Readings, 0, 1), (_rig.Stored, _rig.InParts, _rig.Open));
        life.Kill();
    }

    private async Task<(Processor Processor, Task Running)> StartNext(CancellationToken stop)
    {
        _rig.Store.ReadBack = _read.Add;
        (_rig.Store.Calls.LatencyMin, _rig.Store.Calls.LatencyMax) =
            (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20));
        await _rig.Pass(5);
        return await _rig.Start(
            "b", new WindowOptions { RebuildReadingsMax = AtOnceMax, RebuildTime = TimeSpan.FromMilliseconds(1) }, null,
            stop);
    }

    private async Task EndAndJudge(CancellationTokenSource stop, Task running)
    {
        await _rig.Pass(5);
        stop.Cancel();
        await running;
        Assert.Equal(0, _rig.Open);
        _rig.AssertWhole();
    }
}
