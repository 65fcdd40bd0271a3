using Microsoft.Extensions.Hosting;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Cloud.Hosting;

/// <summary>The role of the relay: publishes alerts to Kafka. The database's tables are made when it starts.</summary>
internal sealed class RelayService(RoleContext context, StopSignal signal) : BackgroundService
{
    private PostgresAlertOutbox? _outbox;
    private AlertRelay? _relay;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var (settings, time) = (context.Settings, context.Time);
        _outbox = new PostgresAlertOutbox(settings.Database!);
        _relay = new AlertRelay(
            new KafkaAlertSink(settings.Kafka!, time), _outbox,
            settings.Relay with { Routes = settings.Kafka!.Routes, StateTopic = settings.Kafka.StateTopic }, time,
            context.Random,
            context.Logging.CreateLogger("Telemetry.Cloud.Alerts"), context.Database);
        _relay.Counters.Publish(context.Meter);
        context.Health.Add("relay", () => _relay.Problem);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using (_outbox!)
        {
            await _relay!.RunAsync(signal.Stopping);
        }
    }
}
