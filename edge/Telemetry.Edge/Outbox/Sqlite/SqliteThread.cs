using Telemetry.Runtime;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// The one thread on which a file's connection is used. Work is done in the order of the calls; awaiting it resumes on
/// the caller's context. When more than <see cref="WaitingMax"/> pieces wait, the caller's thread blocks: the outbox
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

    /// <summary>Runs the work on the thread.</summary>
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

    /// <summary>Accepts no more work; completes when the waiting work is done.</summary>
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
