using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Retention;

namespace Telemetry.Cloud.Hosting;

/// <summary>Removes what the rules do not keep, and says what it removed.</summary>
internal sealed class RetentionUpkeep(PostgresStore store, RetentionRules rules, TimeProvider time, ILogger logger)
{
    // In ticks, UTC; 0 before the first run.
    private long _oldest;
    private bool _delayed;

    /// <summary>One run.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (rules.All.Count == 0)
        {
            return;
        }

        var report = await store.Retention.RunAsync(rules, cancellationToken);
        if (report.Oldest is { } oldest)
        {
            Interlocked.Exchange(ref _oldest, oldest.Ticks);
        }

        if (report.Readings + report.Parts + report.Dropped > 0)
        {
            OperationsLog.Retired(logger, report.Readings, report.Parts, report.Dropped);
        }

        if (report.IsDelayed && !_delayed)
        {
            OperationsLog.RetentionDelayed(logger);
        }

        _delayed = report.IsDelayed;
    }

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.retention.readings", "{reading}", "Readings that retention removed",
            () => store.Retention.Readings);
        meter.Counter(
            "telemetry.retention.parts", "{part}", "Parts of windows that retention removed",
            () => store.Retention.Parts);
        meter.Gauge(
            "telemetry.retention.oldest", "Age of the oldest week or chunk of readings, as the last run found it",
            () => Interlocked.Read(ref _oldest) is var oldest && oldest > 0
                ? (time.GetUtcNow().Ticks - oldest) / TimeSpan.TicksPerSecond : 0,
            "s");
    }
}
