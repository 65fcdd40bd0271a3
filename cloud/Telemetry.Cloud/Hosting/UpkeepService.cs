using Microsoft.Extensions.Hosting;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// What a processor's process does for the database beside the rounds: old rows of the frame register are summed up,
/// published alerts are removed from the outbox at their age, readings are moved to where they are indexed (on
/// TimescaleDB their chunks are converted or indexed), old parts of windows are merged, readings and windows that are
/// not kept are removed, and the numbers of series are watched. Any number of processes may do it.
/// </summary>
internal sealed class UpkeepService(RoleContext context, ServersService servers, StopSignal signal) : BackgroundService
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(5), HalfMinute = TimeSpan.FromSeconds(30),
        Minute = TimeSpan.FromMinutes(1), Hour = TimeSpan.FromHours(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (store, settings, logger) = (servers.Store!, context.Settings, context.ProcessLog);
        var numbers = new SeriesNumberWatch(store, logger);
        numbers.Publish(context.Meter);
        var alerts = new AlertOutboxCounters();
        alerts.Publish(context.Meter);
        var trimmer = new AlertOutboxTrimmer(store, settings.AlertOutbox, alerts, logger);
        var retention = new RetentionUpkeep(store, settings.Retention, context.Time, logger);
        retention.Publish(context.Meter);
        var keep = settings.Database!.KeepRegister;
        // The register is kept as long as the log and no longer.
        var rollup = Job("Rolling up the frame register", cancel => store.SumUpFramesAsync(keep, cancel), Hour, Hour);
        var indexing = store.Edition.Kind == DatabaseKind.PostgreSql ? Moment : HalfMinute;
        return Task.WhenAll(
            rollup.RunAsync(signal.Stopping),
            Job("Looking at the numbers of series", numbers.LookAsync, Hour).RunAsync(signal.Stopping),
            Job("Retention", retention.RunAsync, Hour).RunAsync(signal.Stopping),
            Job("Merging parts of windows", store.Merging.RunAsync, Hour, Minute).RunAsync(signal.Stopping),
            Job("Looking at direct compress", new DirectCompressWatch(store, logger).LookAsync, Minute)
                .RunAsync(signal.Stopping),
            Job("Indexing readings", store.IndexReadingsAsync, indexing).RunAsync(signal.Stopping),
            Job("Trimming the alert outbox", trimmer.LookAsync, Minute).RunAsync(signal.Stopping));
    }

    private PeriodicJob Job(
        string what, Func<CancellationToken, Task> work, TimeSpan every, TimeSpan firstAfter = default) =>
        new(
            work, every,
            new ReportedFailure(
                $"{what} fails", $"{what} works again", context.Time, context.ProcessLog, context.Database),
            context.Time)
        { FirstAfter = firstAfter };
}
