using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Does work on the database at intervals. A failure is reported once however often it repeats; the next run does what
/// the failed one left.
/// </summary>
/// <param name="work">One run; throws <see cref="StoreException"/> when the database fails. What else it throws is
/// reported too.</param>
/// <param name="every">The pause after a run.</param>
/// <param name="failure">Where it is reported.</param>
/// <param name="time">The clock.</param>
internal sealed class PeriodicJob(
    Func<CancellationToken, Task> work, TimeSpan every, ReportedFailure failure, TimeProvider time)
{
    /// <summary>The pause before the first run. Default: none.</summary>
    public TimeSpan FirstAfter { get; init; }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var pause = FirstAfter; ; pause = every)
            {
                await Task.Delay(pause, time, cancellationToken);
                await TryAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    private async Task TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            await work(cancellationToken);
            failure.Worked();
        }
        catch (StoreException e)
        {
            failure.Failed(e.Message);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // A fault of the program: the other runs, and the other jobs, go on.
            failure.Failed($"{e.GetType().Name}: {e.Message}");
        }
    }
}
