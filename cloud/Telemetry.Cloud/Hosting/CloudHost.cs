using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Ingress;
using Telemetry.Ingress.Sessions;
using Telemetry.Model.Tracing;
using Telemetry.Processing;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Composes the roles of one process and runs them until it is told to stop: HTTP first (so that it can be asked why it
/// is not ready), then the log, then processor and relay, the ingress last. It stops in the opposite order. What is not
/// there yet (NATS, the database) is waited for.
/// </summary>
internal sealed class CloudHost(CloudSettings settings, TimeProvider time, Random random, ILoggerFactory logging)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logging.CreateLogger("Telemetry.Cloud");
    private readonly CloudHealth _health = new();
    private readonly ReportedFailure _nats = new(
        "NATS cannot be reached", "NATS was reached again", time, logging.CreateLogger("Telemetry.Cloud"));

    // From when on the connection's end is our own doing.
    private volatile bool _closing;

    private bool NeedsDatabase => (settings.Roles & (CloudRoles.Processor | CloudRoles.Relay)) != 0;

    /// <summary>
    /// Runs until cancelled; throws when a role ends by itself, and <see cref="StartException"/> at once where waiting
    /// for the servers would be in vain.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (settings.Roles.HasFlag(CloudRoles.Ingress))
        {
            IngressRole.DescribeFiles(settings, time);
            ListenFault.Try("ingress", settings.MqttEndPoint);
        }

        using var meter = new Meter("Telemetry.Cloud");
        using var text = new PrometheusText(meter, "System.Runtime");
        using var traces = StartTraces(meter);
        await using var database = settings.Database is { } options
            ? NpgsqlDataSource.Create(options.ConnectionString) : null;
        // An ingress alone may have a database for its HTTP questions; it works without.
        await using var probe = settings.Database is { } probed && NeedsDatabase
            ? new DatabaseProbe(probed.ConnectionString, time, _logger) : null;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var probing = probe?.RunAsync(ending.Token) ?? Task.CompletedTask;
        try
        {
            _health.Add("database", () => probe?.Reach.Problem);
            _health.Add("nats", () => _nats.Problem);
            var starting = "starting";
            void Start(string? step) => starting = step;
            _health.Add("start", () => starting);
            var books = database is null ? null : new GatewayBooks(database);
            await using var http = await OperationsHttp.StartAsync(
                settings, _health, text, books, logging, cancellationToken);
            OperationsLog.Started(_logger, settings.Roles, settings.Ingress.Partitions, http.Address);
            await (settings.Roles == CloudRoles.Relay
                ? RunRelayAloneAsync(meter, probe, Start, cancellationToken)
                : RunOnLogAsync(meter, probe, Start, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to stop while it was starting.
        }
        finally
        {
            // Also where the start failed: the probe's connection is not closed while it is being opened.
            await ending.CancelAsync();
            await probing;
        }

        OperationsLog.Stopped(_logger);
    }

    private async Task RunOnLogAsync(
        Meter meter, DatabaseProbe? probe, Action<string?> start, CancellationToken cancellationToken)
    {
        start("waiting for NATS");
        await using var nats = await ConnectAsync(meter, cancellationToken);
        try
        {
            await RunOnLogAsync(nats, meter, probe, start, cancellationToken);
        }
        finally
        {
            _closing = true;
        }
    }

    private async Task RunOnLogAsync(
        JetStreamConnection nats, Meter meter, DatabaseProbe? probe, Action<string?> start,
        CancellationToken cancellationToken)
    {
        start("waiting for the database");
        await using var store = await OpenStoreAsync(probe, cancellationToken);
        start("looking at the log's streams");
        var (log, facts) = await new InstallationEntry(settings.Ingress.Partitions, _health, time, random, _logger)
            .EnterAsync(store, new JetStreamFrameLog(nats, settings.Log), cancellationToken);
        var bus = new NatsControlChannel(nats, facts);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var processing = RunProcessorAsync(store, log, bus, meter, probe, stopping.Token);
        var relaying = RunRelayAsync(meter, probe, stopping.Token);
        var watching = UntilStoppedAsync(stopping.Token);
        try
        {
            (var ingress, watching) = await StartIngressAsync(log, bus, meter, stopping.Token);
            await using (ingress)
            {
                start(null);
                await Task.WhenAny(
                    processing, relaying, watching,
                    Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken));
                OperationsLog.Stopping(_logger);
            }
        }
        finally
        {
            // Give their leases back, so that the next owner need not wait.
            await stopping.CancelAsync();
            await Task.WhenAll(processing, relaying, watching);
        }
    }

    private async Task RunRelayAloneAsync(
        Meter meter, DatabaseProbe? probe, Action<string?> start, CancellationToken cancellationToken)
    {
        start("waiting for the database");
        await using var tables = await OpenStoreAsync(probe, cancellationToken);
        start(null);
        await RunRelayAsync(meter, probe, cancellationToken);
        OperationsLog.Stopping(_logger);
    }

    private TraceExport? StartTraces(Meter meter)
    {
        var role = settings.Roles == CloudRoles.All ? "cloud" : settings.Roles.ToString().ToLowerInvariant();
        var traces = TraceExport.Start(
            settings.Traces, FrameSpans.CloudSource, $"telemetry-{role}", settings.Processor.Owner,
            change => OperationsLog.TracesChanged(_logger, settings.Traces.EndpointShown, change));
        if (traces is not null)
        {
            traces.Counters.Publish(meter);
            OperationsLog.Tracing(_logger, settings.Traces.EndpointShown, settings.Traces.Ratio);
        }

        return traces;
    }

    private async Task<JetStreamConnection> ConnectAsync(Meter meter, CancellationToken cancellationToken)
    {
        JetStreamConnection? nats = null;
        nats = await JetStreamConnection.ConnectWhenReachedAsync(
            settings.Nats with { TimeProvider = time }, change => Note(nats, change), cancellationToken);
        _ = SayReachedAsync(nats);
        OperationsLog.NatsConnected(_logger, nats.ServerVersion);
        nats.Counters.Publish(meter, () => nats.IsConnected);
        return nats;
    }

    private void Note(JetStreamConnection? nats, LinkChange change)
    {
        switch (change.Kind)
        {
            case LinkChangeKind.Connected:
                if (nats is not null)
                {
                    _ = SayReachedAsync(nats);
                }

                break;
            case LinkChangeKind.Complained:
                OperationsLog.NatsComplained(_logger, change.Detail);
                break;
            case LinkChangeKind.Lost when _closing:
                break;
            default:
                _nats.Failed(change.Detail);
                break;
        }
    }

    // Once the connection has held for a while: a little longer than must be, as timers come some ms early, nobody asks
    // again, and a link may be back within a millisecond.
    private async Task SayReachedAsync(JetStreamConnection nats)
    {
        await Task.Delay(ReportedFailure.Steady + TimeSpan.FromMilliseconds(100), time);
        if (nats.IsConnected)
        {
            _nats.Worked();
        }
    }

    private async Task<PostgresStore?> OpenStoreAsync(DatabaseProbe? probe, CancellationToken cancellationToken)
    {
        var opening = new ReportedFailure(
            "The database's tables cannot be used", "The database's tables can be used", time, _logger, probe?.Reach);
        _health.Add("tables", () => opening.Problem);
        if (!NeedsDatabase)
        {
            return null;
        }

        while (true)
        {
            try
            {
                var store = await PostgresStore.OpenAsync(settings.Database!, time, cancellationToken);
                opening.Worked();
                OperationsLog.DatabaseOpened(_logger, store.Edition.ToString());
                _health.Add("tables", () => null);
                return store;
            }
            catch (StoreException e) when (e.InnerException is not null)
            {
                // Without an inner one it is our own refusal (another version): that does not mend itself.
                opening.Failed(e.Message);
                await Task.Delay(RetryAfter, time, cancellationToken);
            }
        }
    }

    private async Task RunProcessorAsync(
        PostgresStore? store, JetStreamFrameLog log, NatsControlChannel bus, Meter meter, DatabaseProbe? probe,
        CancellationToken cancellationToken)
    {
        if (store is null || !settings.Roles.HasFlag(CloudRoles.Processor))
        {
            await UntilStoppedAsync(cancellationToken);
            return;
        }

        var logger = logging.CreateLogger("Telemetry.Cloud.Processing");
        var processors = Enumerable.Range(0, settings.Processor.Workers).Select(worker => new Processor(
            store, log, bus, settings.Processor with { Worker = worker }, time, random, logger, probe?.Reach, _nats))
            .ToArray();
        for (var worker = 0; worker < processors.Length; worker++)
        {
            var processor = processors[worker];
            _health.Add($"worker {worker}", () => processor.Problem);
        }

        ProcessorCounters.Publish(meter, [.. processors.Select(p => p.Counters)]);
        StoreMetrics.Publish(meter, store);
        var upkeep = new FrameRegisterRollup(store, settings.Database!.KeepRegister, time, _logger, probe?.Reach)
            .RunAsync(cancellationToken);
        var numbers = new SeriesNumberWatch(store, time, _logger, probe?.Reach);
        numbers.Publish(meter);
        var numbering = numbers.RunAsync(cancellationToken);
        var alerts = new AlertOutboxCounters();
        alerts.Publish(meter);
        var trimming = new AlertOutboxTrimmer(store, settings.AlertOutbox, alerts, time, _logger, probe?.Reach)
            .RunAsync(cancellationToken);
        await EventLoop.RunAllAsync(
            "processor",
            [.. processors.Select<Processor, Func<CancellationToken, Task>>(p => p.RunAsync)], cancellationToken);
        await upkeep;
        await numbering;
        await trimming;
    }

    private Task RunRelayAsync(Meter meter, DatabaseProbe? probe, CancellationToken cancellationToken) =>
        settings.Roles.HasFlag(CloudRoles.Relay)
            ? RelayRole.RunAsync(
                settings, _health, meter, probe?.Reach, time, random,
                logging.CreateLogger("Telemetry.Cloud.Alerts"), cancellationToken)
            : UntilStoppedAsync(cancellationToken);

    private async Task UntilStoppedAsync(CancellationToken cancellationToken) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);

    private async Task<(MqttIngress? Ingress, Task Watching)> StartIngressAsync(
        JetStreamFrameLog log, NatsControlChannel bus, Meter meter, CancellationToken cancellationToken)
    {
        if (!settings.Roles.HasFlag(CloudRoles.Ingress))
        {
            return (null, UntilStoppedAsync(cancellationToken));
        }

        var counters = new IngressCounters();
        var core = new IngressCore(log, bus, settings.Ingress, time, counters);
        var ingress = IngressRole.Make(
            settings, core, counters, time, logging.CreateLogger("Telemetry.Cloud.Ingress"));
        try
        {
            await ingress.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("ingress", settings.MqttEndPoint, e, out var fault))
        {
            throw fault;
        }

        _health.Add("partitions", () => core.Closed);
        _health.Add("ingress", () => core.Closed is null ? core.Refused.Problem : null);
        var watching = Task.WhenAny(
            new InstallationWatch(log, reason => core.Closed = reason, time).RunAsync(cancellationToken),
            core.Refused.RunAsync(cancellationToken)).Unwrap();
        counters.Publish(meter);
        SessionMetrics.Publish(meter, ingress);
        return (ingress, watching);
    }
}
