using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Every hour rolls the frame register's old days up, so that it is kept as long as the log and no longer. Any number
/// of processes may do it; what fails is done by the next call.
/// </summary>
internal sealed class FrameRegisterRollup(PostgresStore store, TimeSpan keep, TimeProvider time, ILogger logger,
    ReportedFailure? database = null)
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly ReportedFailure _trouble = new(
        "Rolling up the frame register fails", "Rolling up the frame register works again", time, logger, database);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Every, time, cancellationToken);
                try
                {
                    await store.SumUpFramesAsync(keep, cancellationToken);
                    _trouble.Worked();
                }
                catch (StoreException e)
                {
                    _trouble.Failed(e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }
}
