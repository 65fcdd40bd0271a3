using Microsoft.Extensions.Hosting;
using Telemetry.Diagnostics.Failures;
using Telemetry.Processing;
using Telemetry.Processing.Presence;
using Telemetry.Runtime;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Fleet;

namespace Telemetry.Cloud.Hosting;

/// <summary>The role of the processor: its workers, each on a loop of its own.</summary>
internal sealed class ProcessorService(RoleContext context, ServersService servers, StopSignal signal)
    : BackgroundService
{
    private Processor[] _workers = [];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await WidthsEntry.EnterAsync(context, servers.Store!, cancellationToken);
        var logger = context.Logging.CreateLogger("Telemetry.Cloud.Processing");
        var options = context.Settings.Processor;
        _workers = [.. Enumerable.Range(0, options.Workers).Select(worker => new Processor(
            servers.Store!, servers.Log!, servers.ControlChannel!, options with { Worker = worker }, context.Time,
            context.Random, logger, context.Database, servers.NatsReach, servers.FleetChannel))];
        for (var i = 0; i < _workers.Length; i++)
        {
            var worker = _workers[i];
            context.Health.Add($"worker {i}", () => worker.Problem);
        }

        ProcessorCounters.Publish(context.Meter, [.. _workers.Select(worker => worker.Counters)]);
        StoreMetrics.Publish(context.Meter, servers.Store!);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var table = new PresenceTable(context.Settings.Database!.ConnectionString);
        var recorder = new PresenceRecorder(
            servers.FleetChannel!, table,
            new ReportedFailure(
                "Writing which gateways are connected fails", "Writing which gateways are connected works again",
                context.Time, context.ProcessLog, context.Database),
            context.Time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(signal.Stopping);
        var recording = recorder.RunAsync(ending.Token);
        try
        {
            await EventLoop.RunAllAsync(
                "processor",
                [.. _workers.Select<Processor, Func<CancellationToken, Task>>(worker => worker.RunAsync)],
                signal.Stopping);
        }
        finally
        {
            await ending.CancelAsync();
            await recording;
        }
    }
}
