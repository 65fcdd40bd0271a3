using Telemetry.Edge.Hosting;

namespace Telemetry.Tests.Edge;

public sealed class EdgeLoopTests : IDisposable
{
    private readonly EdgeLoop _loop = new("test");

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Work_and_all_that_follows_its_awaits_run_on_the_loop()
    {
        Assert.False(_loop.IsCurrent);
        await _loop.RunAsync(async () =>
        {
            Assert.True(_loop.IsCurrent);
            await Task.Yield();
            Assert.True(_loop.IsCurrent);

            // What another thread completes resumes here as well.
            var elsewhere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ThreadPool.UnsafeQueueUserWorkItem(static e => e.SetResult(), elsewhere, preferLocal: false);
            await elsewhere.Task;
            Assert.True(_loop.IsCurrent);
        });
        Assert.False(_loop.IsCurrent);
    }

    [Fact]
    public async Task Results_and_errors_reach_who_asked()
    {
        Assert.Equal(7, await _loop.RunAsync(() => Task.FromResult(7)));
        await Assert.ThrowsAsync<FormatException>(() => _loop.RunAsync(() => throw new FormatException()));
        await Assert.ThrowsAsync<FormatException>(() => _loop.RunAsync(async () =>
        {
            await Task.Yield();
            throw new FormatException();
        }));
        Assert.Equal(8, await _loop.RunAsync(() => Task.FromResult(8)));
    }

    [Fact]
    public async Task What_is_posted_runs_in_the_order_of_posting()
    {
        var order = new List<int>();
        var context = await _loop.RunAsync(() => Task.FromResult(SynchronizationContext.Current!));
        for (var i = 0; i < 1000; i++)
        {
            context.Post(static add => ((Action)add!)(), AddOf(i));
        }

        await _loop.RunAsync(() => Task.CompletedTask);
        Assert.Equal(Enumerable.Range(0, 1000), order);

        Action AddOf(int i) => () => order.Add(i);
    }

    [Fact]
    public async Task Nothing_runs_after_it_was_disposed()
    {
        var context = await _loop.RunAsync(() => Task.FromResult(SynchronizationContext.Current!));
        _loop.Dispose();
        _loop.Dispose();
        var ran = false;
        context.Post(_ => ran = true, null);
        Assert.False(ran);
    }
}
