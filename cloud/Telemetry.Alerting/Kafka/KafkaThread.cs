using Telemetry.Runtime;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// The one thread for librdkafka's blocking calls. Work is done in the order of the calls; awaiting it resumes on the
/// caller's context.
/// </summary>
internal sealed class KafkaThread : IAsyncDisposable
{
    private const int WaitingMax = 64;

    private readonly WorkQueue<Action> _work = new(WaitingMax);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public KafkaThread(string name) => new Thread(Run) { IsBackground = true, Name = name }.Start();

    /// <summary>Runs the work on the thread.</summary>
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

    /// <summary>Accepts no more work; completes when the waiting work is done.</summary>
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
