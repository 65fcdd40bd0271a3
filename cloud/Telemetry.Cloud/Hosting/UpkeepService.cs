using Microsoft.Extensions.Hosting;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// What a processor's process does for the database beside the rounds: old rows of the frame register are summed up,
/// published alerts leave the outbox at their age, and the numbers of series are watched.
/// </summary>
internal sealed class UpkeepService(RoleContext context, ServersService servers, StopSignal signal) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (store, settings, logger) = (servers.Store!, context.Settings, context.ProcessLog);
        var rollup = new FrameRegisterRollup(
            store, settings.Database!.KeepRegister, context.Time, logger, context.Database);
        var numbers = new SeriesNumberWatch(store, context.Time, logger, context.Database);
        numbers.Publish(context.Meter);
        var alerts = new AlertOutboxCounters();
        alerts.Publish(context.Meter);
        var trimmer = new AlertOutboxTrimmer(
            store, settings.AlertOutbox, alerts, context.Time, logger, context.Database);
        return Task.WhenAll(
            rollup.RunAsync(signal.Stopping), numbers.RunAsync(signal.Stopping), trimmer.RunAsync(signal.Stopping));
    }
}
