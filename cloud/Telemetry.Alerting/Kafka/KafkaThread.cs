using Telemetry.Runtime;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// One thread for librdkafka's calls that block. Work is done in the order in which it came; awaiting it resumes on the
/// caller's context.
/// </summary>
internal sealed class KafkaThread : IAsyncDisposable
{
    private const int WaitingMax = 64;

    private readonly WorkQueue<Action> _work = new(WaitingMax);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public KafkaThread(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    /// <summary>Runs it on the thread.</summary>
    public Task<T> DoAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var added = _work.TryAdd(() =>
        {
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
    public async ValueTask DisposeAsync()
    {
        _work.Complete();
        await _ended.Task;
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
