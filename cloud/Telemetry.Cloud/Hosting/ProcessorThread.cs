using Telemetry.Runtime;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// One thread with a synchronization context of its own: what runs on it goes on there after each await, as in the
/// simulation, so the processor needs no locks. Work posted waits in a queue; what is posted is what the processor
/// itself asked for and what the bus bounds. After disposal nothing runs any more.
/// </summary>
internal sealed class ProcessorThread : SynchronizationContext, IDisposable
{
    private readonly WorkQueue<(SendOrPostCallback Callback, object? State)> _work = new();
    private readonly Thread _thread;

    public ProcessorThread(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>
    /// Runs processors side by side, each on a thread of its own, until all have ended. One that ends by itself ends
    /// the others; if it failed, that is thrown.
    /// </summary>
    public static async Task RunAllAsync(
        IReadOnlyList<Func<CancellationToken, Task>> processors, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = processors.Select((processor, worker) => RunOneAsync(processor, worker, ending.Token)).ToArray();
        await Task.WhenAny(running);
        await ending.CancelAsync();
        await Task.WhenAll(running);
    }

    /// <summary>Runs the program on the thread until its task ends.</summary>
    public Task RunAsync(Func<Task> program)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(_ => _ = CompleteAsync(program, done), null);
        return done.Task;
    }

    // Not taken after disposal: a late timer or message of a processor that has ended.
    public override void Post(SendOrPostCallback d, object? state) => _work.TryAdd((d, state));

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("nothing may wait for the processor's thread");

    public override SynchronizationContext CreateCopy() => this;

    public void Dispose() => _work.Complete();

    private static async Task RunOneAsync(
        Func<CancellationToken, Task> processor, int worker, CancellationToken cancellationToken)
    {
        using var thread = new ProcessorThread($"processor {worker}");
        await thread.RunAsync(() => processor(cancellationToken));
    }

    private static async Task CompleteAsync(Func<Task> program, TaskCompletionSource done)
    {
        try
        {
            await program();
            done.SetResult();
        }
        catch (OperationCanceledException)
        {
            done.SetCanceled();
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }

    private void Run()
    {
        SetSynchronizationContext(this);
        while (_work.TryTake(out var next))
        {
            next.Callback(next.State);
        }
    }
}
