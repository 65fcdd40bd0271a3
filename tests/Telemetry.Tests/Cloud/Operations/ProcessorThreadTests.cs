using Telemetry.Cloud.Operations;

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
}
