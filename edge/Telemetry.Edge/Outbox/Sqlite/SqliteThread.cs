using Telemetry.Runtime;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// The one thread that a file's connection lives on. Work is done in the order in which it came; awaiting it resumes on
/// the caller's context. With more than <see cref="WaitingMax"/> pieces waiting the caller's thread waits: the outbox
/// has one commit and few reads under way.
/// </summary>
internal sealed class SqliteThread
{
    private const int WaitingMax = 256;
    private const int StackBytes = 512 * 1024;

    private readonly WorkQueue<Action> _work = new(WaitingMax);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SqliteThread(string name)
    {
        var thread = new Thread(Run, StackBytes) { IsBackground = true, Name = name };
        thread.Start();
    }

    /// <summary>Runs it on the thread.</summary>
    public Task<T> DoAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var added = _work.TryAdd(() =>
        {
            if (cancellationToken.IsCancellationRequested)
            {
                done.SetCanceled(cancellationToken);
                return;
            }

            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return added ? done.Task : throw new InvalidOperationException("the thread has ended");
    }

    /// <summary>Takes no more work, and ends when what waits is done.</summary>
    public Task EndAsync()
    {
        _work.Complete();
        return _ended.Task;
    }

    private void Run()
    {
        while (_work.TryTake(out var work))
        {
            work();
        }

        _ended.SetResult();
    }
}
