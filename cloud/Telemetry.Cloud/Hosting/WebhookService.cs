using Microsoft.Extensions.Hosting;
using Telemetry.Alerting.Webhooks;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Cloud.Hosting;

/// <summary>Sends alerts to each webhook, beside the relay or without one.</summary>
internal sealed class WebhookService(RoleContext context, StopSignal signal) : BackgroundService
{
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly WebhookCounters _counters = new();
    private PostgresWebhookOutbox? _outbox;
    private HttpClient? _http;
    private IReadOnlyList<WebhookSender> _senders = [];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var options = context.Settings.Webhooks;
        _outbox = new PostgresWebhookOutbox(context.Settings.Database!);
        // A redirect is not followed: the signature is for the receiver that is named. Each webhook has its own time
        // limit.
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
        _senders = [.. options.Webhooks.Select(webhook => new WebhookSender(
            _http, webhook, options, _outbox, _counters, context.Time, context.Random, logger, context.Database))];
        _counters.Publish(context.Meter);
        context.Health.Add(
            "webhooks",
            () => _senders.Select(s => s.Problem).OfType<string>().ToList() is { Count: > 0 } problems
                ? string.Join("; ", problems) : null);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using (_outbox!)
        {
            using (_http!)
            {
                await Task.WhenAll(_senders.Select(s => s.RunAsync(signal.Stopping)));
            }
        }
    }
}
