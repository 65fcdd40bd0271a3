using Microsoft.Extensions.Logging;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Cloud.Configuration;
using Telemetry.Model.Installations;
using Telemetry.Processing;
using Telemetry.Runtime;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Commands.Repartition;

/// <summary>
/// Processors and a relay of the command's own, which read closed streams to their ends. They take the leases that are
/// free: where the installation's processors run those do the work, and where none does (it was stopped, or the
/// database was put back) these do. Disposed before the change is made known.
/// </summary>
internal sealed class RepartitionDrain : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _processing, _relaying;
    private readonly PostgresAlertOutbox? _outbox;

    public RepartitionDrain(
        CloudSettings settings, PostgresStore store, JetStreamConnection nats, InstallationFacts facts,
        TimeProvider time, Random random, ILogger logger)
    {
        var log = new JetStreamFrameLog(nats, settings.Log, facts);
        var options = settings.Processor with
        {
            Partitions = facts.Partitions,
            Workers = 1,
            // A processor takes a lease that carries its own name at once. With a name of their own, these processors
            // do not take the leases of a processor with the same configuration.
            Owner = settings.Processor.Owner + " repartition",
        };
        _processing = EventLoop.RunAllAsync(
            "processor",
            [new Processor(store, log, new NatsControlChannel(nats, facts), options, time, random, logger).RunAsync],
            _stop.Token);
        _outbox = settings.Kafka is null ? null : new PostgresAlertOutbox(settings.Database!);
        _relaying = _outbox is null
            ? Task.CompletedTask
            : new AlertRelay(
                new KafkaAlertSink(settings.Kafka!, time), _outbox, settings.Relay, time, random, logger)
                .RunAsync(_stop.Token);
    }

    /// <summary>Throws what ended the processors by itself.</summary>
    public async Task CheckAsync()
    {
        if (_processing.IsCompleted)
        {
            await _processing;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.WhenAll(_processing, _relaying);
        }
        catch (Exception e) when (e is InstallationException or OperationCanceledException)
        {
            // The change was made under them, which is what the command is for.
        }

        if (_outbox is not null)
        {
            await _outbox.DisposeAsync();
        }

        _stop.Dispose();
    }
}
