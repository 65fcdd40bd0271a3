using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;
using Telemetry.Ingress;
using Telemetry.Ingress.Presence;
using Telemetry.Ingress.Sessions;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// The role of the ingress. It starts last and stops first. What it runs beside its sessions watches the installation
/// and whether what was refused is taken again.
/// </summary>
internal sealed class IngressService(RoleContext context, ServersService servers) : BackgroundService
{
    private static readonly TimeSpan LastWord = TimeSpan.FromSeconds(2);

    private IngressCore? _core;
    private PresenceReporter? _presence;
    private MqttIngress? _ingress;

    private CloudHealth Health => context.Health;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var (settings, time) = (context.Settings, context.Time);
        var counters = new IngressCounters();
        var core = new IngressCore(servers.Log!, servers.ControlChannel!, settings.Ingress, time, counters);
        var board = new PresenceBoard(new PresenceOptions(), time);
        var ingress = IngressRole.Make(
            settings, core, counters, board, time, context.Logging.CreateLogger("Telemetry.Cloud.Ingress"));
        try
        {
            await ingress.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("ingress", settings.MqttEndPoint, e, out var fault))
        {
            throw fault;
        }

        (_core, _ingress) = (core, ingress);
        _presence = new PresenceReporter(
            board, servers.FleetChannel!, new PresenceOptions(), settings.Processor.Owner,
            (ulong)context.Random.NextInt64(), time);
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

        if (_presence is not null)
        {
            // That its gateways are gone. Where nobody hears it, the end of its reports says so.
            using var limit = new CancellationTokenSource(LastWord, context.Time);
            await _presence.SayAsync(all: true, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var core = _core!;
        return Task.WhenAny(
            new InstallationWatch(servers.Log!, reason => core.Closed = reason, context.Time).RunAsync(stoppingToken),
            core.Refused.RunAsync(stoppingToken),
            _presence!.RunAsync(stoppingToken)).Unwrap();
    }
}
