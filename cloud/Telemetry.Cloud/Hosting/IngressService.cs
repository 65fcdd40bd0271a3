using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;
using Telemetry.Ingress;
using Telemetry.Ingress.Sessions;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// The role of the ingress. It starts last and stops first. What it runs beside its sessions watches the installation
/// and whether what was refused is taken again.
/// </summary>
internal sealed class IngressService(RoleContext context, ServersService servers) : BackgroundService
{
    private IngressCore? _core;
    private MqttIngress? _ingress;

    private CloudHealth Health => context.Health;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var (settings, time) = (context.Settings, context.Time);
        var counters = new IngressCounters();
        var core = new IngressCore(servers.Log!, servers.ControlChannel!, settings.Ingress, time, counters);
        var ingress = IngressRole.Make(
            settings, core, counters, time, context.Logging.CreateLogger("Telemetry.Cloud.Ingress"));
        try
        {
            await ingress.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("ingress", settings.MqttEndPoint, e, out var fault))
        {
            throw fault;
        }

        (_core, _ingress) = (core, ingress);
        Health.Add("partitions", () => core.Closed);
        Health.Add("ingress", () => core.Closed is null ? core.Refused.Problem : null);
        counters.Publish(context.Meter);
        SessionMetrics.Publish(context.Meter, ingress, time);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_ingress is not null)
        {
            await _ingress.DisposeAsync();
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var core = _core!;
        return Task.WhenAny(
            new InstallationWatch(servers.Log!, reason => core.Closed = reason, context.Time).RunAsync(stoppingToken),
            core.Refused.RunAsync(stoppingToken)).Unwrap();
    }
}
