using System.Collections.Concurrent;
using Telemetry.Runtime;

namespace Telemetry.Tests.Runtime;

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
    public async Task Cancellation_comes_out_as_cancellation()
    {
        using var loop = new EventLoop("test");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => loop.RunAsync(() => Task.FromCanceled(new CancellationToken(true))));
    }

    [Fact]
    public async Task Late_post_after_its_end_is_ignored()
    {
        var loop = new EventLoop("test");
        var context = await loop.RunAsync(() => Task.FromResult(SynchronizationContext.Current!));
        loop.Dispose();

        context.Post(_ => throw new InvalidOperationException(), null);
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

    [Fact]
    public async Task Of_several_side_by_side_one_that_fails_ends_the_others_and_its_error_comes_out()
    {
        var threads = new ConcurrentDictionary<int, bool>();
        var others = new CountdownEvent(2);
        var ended = 0;

        async Task RunUntilToldToEnd(CancellationToken cancellationToken)
        {
            threads[Environment.CurrentManagedThreadId] = true;
            others.Signal();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref ended);
            }
        }

        async Task FailOnceAllRun(CancellationToken cancellationToken)
        {
            threads[Environment.CurrentManagedThreadId] = true;
            others.Wait(cancellationToken);
            await Task.Yield();
            throw new InvalidOperationException("the database is of another version");
        }

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => EventLoop.RunAllAsync("test", [RunUntilToldToEnd, FailOnceAllRun, RunUntilToldToEnd], default));

        Assert.Equal("the database is of another version", failure.Message);
        Assert.Equal(2, ended);
        Assert.Equal(3, threads.Count);
    }

    [Fact]
    public async Task Several_side_by_side_end_when_told()
    {
        using var telling = new CancellationTokenSource();
        var ended = 0;

        async Task RunUntilToldToEnd(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Interlocked.Increment(ref ended);
        }

        var running = EventLoop.RunAllAsync("test", [RunUntilToldToEnd, RunUntilToldToEnd], telling.Token);
        await telling.CancelAsync();
        await running;

        Assert.Equal(2, ended);
    }
}
