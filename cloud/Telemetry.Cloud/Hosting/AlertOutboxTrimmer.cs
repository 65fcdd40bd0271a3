using Microsoft.Extensions.Logging;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;

namespace Telemetry.Cloud.Hosting;

/// <summary>Keeps the alert outbox bounded, and says when nobody publishes it.</summary>
internal sealed class AlertOutboxTrimmer(
    PostgresStore store, AlertOutboxOptions options, AlertOutboxCounters counters, ILogger logger)
{
    private bool _saidUnrelayed;
    private bool _saidBehind;

    /// <summary>One look: trims, counts, says.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
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
