using Telemetry.Runtime;

namespace Telemetry.Tests.Edge;

public sealed class EventLoopTests
{
    [Fact]
    public async Task Work_and_what_follows_its_awaits_runs_on_the_loops_thread()
    {
        using var loop = new EventLoop("test");

        var onLoop = await loop.RunAsync(async () =>
        {
            var before = loop.IsCurrent;
            await Task.Yield();
            var after = loop.IsCurrent;
            await Task.CompletedTask.ContinueWith(_ => { }, TaskScheduler.Default);
            return before && after && loop.IsCurrent;
        });

        Assert.True(onLoop);
        Assert.False(loop.IsCurrent);
    }

    [Fact]
    public async Task Many_agents_take_turns_without_a_lock()
    {
        using var loop = new EventLoop("test");
        var count = 0;

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => loop.RunAsync(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var seen = count;
                count = seen + 1;
                await Task.Yield();
            }
        })));

        Assert.Equal(5000, count);
    }

    [Fact]
    public async Task An_exception_comes_out_and_the_loop_goes_on()
    {
        using var loop = new EventLoop("test");

        await Assert.ThrowsAsync<InvalidDataException>(() => loop.RunAsync(async () =>
        {
            await Task.Yield();
            throw new InvalidDataException();
        }));

        Assert.Equal(1, await loop.RunAsync(() => Task.FromResult(1)));
    }
}
