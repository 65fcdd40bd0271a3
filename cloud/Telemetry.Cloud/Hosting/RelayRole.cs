using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Postgres.Alerts;

namespace Telemetry.Cloud.Hosting;

/// <summary>Runs the relay that the settings describe.</summary>
internal static class RelayRole
{
    /// <summary>Runs until cancelled; the database's tables are made by then.</summary>
    public static async Task RunAsync(
        CloudSettings settings, CloudHealth health, Meter meter, ReportedFailure? database, TimeProvider time,
        Random random, ILogger logger, CancellationToken cancellationToken)
    {
        await using var outbox = new PostgresAlertOutbox(settings.Database!);
        var relay = new AlertRelay(
            new KafkaAlertSink(settings.Kafka!, time), outbox, settings.Relay, time, random, logger, database);
        relay.Counters.Publish(meter);
        health.Add("relay", () => relay.Problem);
        await relay.RunAsync(cancellationToken);
    }
}
