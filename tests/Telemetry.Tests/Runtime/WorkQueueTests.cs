using Telemetry.Runtime;

namespace Telemetry.Tests.Runtime;

public sealed class WorkQueueTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Fact]
    public void Items_are_taken_in_their_order_and_all_of_them_after_the_end()
    {
        var queue = new WorkQueue<int>();
        Assert.All(Enumerable.Range(1, 5), i => Assert.True(queue.TryAdd(i)));
        queue.Complete();

        Assert.False(queue.TryAdd(6));
        Assert.Equal([1, 2, 3, 4, 5], TakeAll(queue));
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public async Task Who_takes_from_an_empty_queue_waits_for_the_next_item_or_the_end()
    {
        var queue = new WorkQueue<int>();
        var taken = new WorkQueue<int>();
        var thread = OnThread(() =>
        {
            while (queue.TryTake(out var item))
            {
                taken.TryAdd(item);
            }
        });

        for (var i = 0; i < 100; i++)
        {
            queue.TryAdd(i);
            Assert.True(taken.TryTake(out var item));
            Assert.Equal(i, item);
        }

        Assert.False(thread.IsCompleted);
        queue.Complete();
        await thread.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_full_queue_lets_those_wait_who_add_and_refuses_them_at_the_end()
    {
        var queue = new WorkQueue<int>(capacity: 2);
        var added = new WorkQueue<bool>();
        Assert.True(queue.TryAdd(1) && queue.TryAdd(2));
        var threads = Task.WhenAll(
            OnThread(() => added.TryAdd(queue.TryAdd(3))), OnThread(() => added.TryAdd(queue.TryAdd(4))));

        Assert.True(queue.TryTake(out var first));
        Assert.Equal(1, first);
        Assert.True(added.TryTake(out var one) && one);
        Assert.False(threads.IsCompleted);
        queue.Complete();
        await threads.WaitAsync(Limit);

        Assert.True(added.TryTake(out var other));
        Assert.False(other);
        Assert.Equal(2, TakeAll(queue).Count);
    }

    [Fact]
    public async Task Every_item_of_many_threads_is_taken_once()
    {
        const int Threads = 4, Items = 10_000;
        var queue = new WorkQueue<int>(capacity: 3);
        var taking = OnThreads(2, _ => TakeAll(queue));
        var adding = OnThreads(Threads, t =>
        {
            for (var i = 0; i < Items; i++)
            {
                queue.TryAdd((t * Items) + i);
            }

            return 0;
        });

        await adding.WaitAsync(Limit);
        queue.Complete();
        var taken = await taking.WaitAsync(Limit);

        Assert.Equal(Enumerable.Range(0, Threads * Items), taken.SelectMany(t => t).Order());
    }

    private static List<int> TakeAll(WorkQueue<int> queue)
    {
        var taken = new List<int>();
        while (queue.TryTake(out var item))
        {
            taken.Add(item);
        }

        return taken;
    }

    private static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task<T[]> OnThreads<T>(int threads, Func<int, T> work) => Task.WhenAll(Enumerable.Range(0, threads)
        .Select(t => Task.Factory.StartNew(
            () => work(t), default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
}
