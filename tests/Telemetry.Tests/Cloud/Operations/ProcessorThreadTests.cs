using System.Collections.Concurrent;
using Telemetry.Cloud.Hosting;

namespace Telemetry.Tests.Cloud.Operations;

public sealed class ProcessorThreadTests
{
    [Fact]
    public async Task What_runs_on_it_stays_on_it_after_every_await()
    {
        using var thread = new ProcessorThread("test");
        var threads = new HashSet<int>();
        await thread.RunAsync(async () =>
        {
            threads.Add(Environment.CurrentManagedThreadId);
            await Task.Yield();
            threads.Add(Environment.CurrentManagedThreadId);
            var elsewhere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ThreadPool.QueueUserWorkItem(_ => elsewhere.SetResult());
            await elsewhere.Task;
            threads.Add(Environment.CurrentManagedThreadId);
        });

        Assert.Single(threads);
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, threads);
    }

    [Fact]
    public async Task Failure_and_cancellation_reach_whoever_awaits_it()
    {
        using var thread = new ProcessorThread("test");

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => thread.RunAsync(() => throw new InvalidOperationException()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => thread.RunAsync(() => Task.FromCanceled(new CancellationToken(true))));
    }

    [Fact]
    public async Task Late_post_after_its_end_is_no_error()
    {
        var thread = new ProcessorThread("test");
        await thread.RunAsync(() => Task.CompletedTask);
        thread.Dispose();

        thread.Post(_ => throw new InvalidOperationException(), null);
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
            () => ProcessorThread.RunAllAsync([RunUntilToldToEnd, FailOnceAllRun, RunUntilToldToEnd], default));

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

        var running = ProcessorThread.RunAllAsync([RunUntilToldToEnd, RunUntilToldToEnd], telling.Token);
        await telling.CancelAsync();
        await running;

        Assert.Equal(2, ended);
    }
}
