using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Keeps the alert outbox bounded, every minute, and says when nobody publishes it. Any number of processes may do it;
/// what fails is done by the next look.
/// </summary>
internal sealed class AlertOutboxTrimmer(
    PostgresStore store, AlertOutboxOptions options, AlertOutboxCounters counters, TimeProvider time, ILogger logger,
    ReportedFailure? database = null)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly ReportedFailure _trouble = new(
        "Trimming the alert outbox fails", "Trimming the alert outbox works again", time, logger, database);

    private bool _saidUnrelayed;
    private bool _saidBehind;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    await LookAsync(cancellationToken);
                    _trouble.Worked();
                }
                catch (StoreException e)
                {
                    _trouble.Failed(e.Message);
                }

                await Task.Delay(Every, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    /// <summary>One look: trims, counts, says.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var looks = await store.TrimAlertsAsync(options, cancellationToken);
        counters.Waiting = looks.Sum(l => l.Waiting);
        counters.Trimmed += looks.Where(l => l.Relayed).Sum(l => l.Trimmed);
        var unpublished = looks.Where(l => !l.Relayed).Sum(l => l.Trimmed);
        counters.TrimmedUnpublished += unpublished;
        if (unpublished > 0)
        {
            AlertLog.TrimmedUnpublished(logger, unpublished, options.RowsMax, options.Keep);
        }

        var unrelayed = looks.Any(l => !l.Relayed);
        if (unrelayed && !_saidUnrelayed)
        {
            AlertLog.Unrelayed(logger, options.RowsMax, options.Keep);
        }

        var behind = looks.Where(l => l.Relayed).Select(l => l.Waiting).DefaultIfEmpty().Max();
        if (behind > options.RowsMax && !_saidBehind)
        {
            AlertLog.RelayBehind(logger, behind, options.RowsMax);
        }

        (_saidUnrelayed, _saidBehind) = (unrelayed, behind > options.RowsMax);
    }
}
