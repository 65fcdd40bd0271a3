using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;

namespace Telemetry.Cloud.Hosting;

/// <summary>Probes the database as long as the process runs.</summary>
internal sealed class DatabaseProbeService(DatabaseProbe probe) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => probe.RunAsync(stoppingToken);
}
