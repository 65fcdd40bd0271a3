using Microsoft.Extensions.Hosting;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Cloud.Hosting;

/// <summary>Tells each Alertmanager of the alerts, beside the relay or without one.</summary>
internal sealed class AlertmanagerService(RoleContext context, StopSignal signal) : BackgroundService
{
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly AlertmanagerCounters _counters = new();
    private PostgresRaisedAlerts? _alerts;
    private HttpClient? _http;
    private IReadOnlyList<AlertmanagerSender> _senders = [];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var options = context.Settings.Alertmanager!;
        _alerts = new PostgresRaisedAlerts(context.Settings.Database!);
        // An address is looked up again after the connection's lifetime; the senders have their own time limits.
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = ConnectionLifetime,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var logger = context.Logging.CreateLogger("Telemetry.Cloud.Alerts");
        _senders = [.. options.Servers.Select(server => new AlertmanagerSender(
            _http, server, _alerts, options, _counters, context.Time, context.Random, logger, context.Database))];
        _counters.Publish(context.Meter);
        context.Health.Add(
            "alertmanager",
            () => _senders.Select(s => s.Problem).OfType<string>().ToList() is { Count: > 0 } problems
                ? string.Join("; ", problems) : null);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using (_alerts!)
        {
            using (_http!)
            {
                await Task.WhenAll(_senders.Select(s => s.RunAsync(signal.Stopping)));
            }
        }
    }
}
