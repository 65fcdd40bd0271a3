using Microsoft.Extensions.Hosting;
using Telemetry.Storage.Postgres.Maintenance;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Asks the database every second whether it answers, as long as the process runs, so that readiness and the log say
/// within seconds when it does not.
/// </summary>
internal sealed class DatabaseProbeService(RoleContext context) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var probe = new DatabaseProbe(context.Settings.Database!.ConnectionString);
        await new PeriodicJob(probe.AskAsync, Every, context.Database!, context.Time).RunAsync(stoppingToken);
    }
}
