using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Model.Tracing;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Composes the services of one process and runs them until it is told to stop: HTTP first (so that it can be asked why
/// it is not ready), then the servers that it works on, then processor, relay and dashboard, the ingress last. It stops
/// in the opposite order.
/// </summary>
internal sealed class CloudHost(CloudSettings settings, TimeProvider time, Random random, ILoggerFactory logging)
{
    private readonly ILogger _logger = logging.CreateLogger("Telemetry.Cloud");
    private readonly CloudHealth _health = new();

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

        if (settings.Roles.HasFlag(CloudRoles.Dashboard))
        {
            ListenFault.Try("dashboard", settings.Dashboard!.EndPoint);
        }

        using var meter = new Meter("Telemetry.Cloud");
        using var text = new PrometheusText(meter, "System.Runtime");
        using var traces = StartTraces(meter);
        var database = RoleContext.NeedDatabase(settings.Roles)
            ? new ReportedFailure("The database cannot be reached", "The database was reached again", time, _logger)
            : null;
        _health.Add("database", () => database?.Problem);
        _health.Add("start", () => "starting");
        using var host = Compose(new RoleContext(settings, _health, meter, database, time, random, logging), text);
        await RunAsync(host, cancellationToken);
        OperationsLog.Stopped(_logger);
    }

    private async Task RunAsync(IHost host, CancellationToken cancellationToken)
    {
        var services = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        try
        {
            await host.StartAsync(cancellationToken);
            _health.Add("start", () => null);
            await Task.WhenAny(
                [Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken), .. services.Select(Execution)]);
            OperationsLog.Stopping(_logger);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told to stop while it was starting.
        }
        finally
        {
            // Also where the start failed. How long a stop may take is the caller's to limit.
            await host.StopAsync(CancellationToken.None);
        }

        try
        {
            await Task.WhenAll(services.Select(Execution));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // A service that ends by its cancellation has ended well.
        }

        static Task Execution(BackgroundService service) => service.ExecuteTask ?? Task.CompletedTask;
    }

    private IHost Compose(RoleContext context, PrometheusText text)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var services = builder.Services;
        services.Configure<HostOptions>(options =>
        {
            options.ShutdownTimeout = Timeout.InfiniteTimeSpan;
            // RunAsync looks at each service itself.
            options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        // The services log by their context: the operator's log holds nothing of the host itself.
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddSingleton(context).AddSingleton(text);
        services.AddSingleton<ServersService>().AddSingleton<StopSignal>();
        if (context.Database is not null)
        {
            services.AddHostedService<DatabaseProbeService>();
        }

        // They start in this order, each when the one before it has started, and stop in the opposite order.
        services.AddHostedService<OperationsService>();
        services.AddHostedService(provider => provider.GetRequiredService<ServersService>());
        if (settings.Roles.HasFlag(CloudRoles.Processor))
        {
            services.AddHostedService<ProcessorService>().AddHostedService<UpkeepService>();
        }

        if (settings.Roles.HasFlag(CloudRoles.Relay))
        {
            AddRelay(services);
        }

        if (settings.Roles.HasFlag(CloudRoles.Dashboard))
        {
            services.AddHostedService<DashboardService>();
        }

        if (settings.Roles.HasFlag(CloudRoles.Ingress))
        {
            services.AddHostedService<IngressService>();
        }

        return builder.Build();
    }

    private void AddRelay(IServiceCollection services)
    {
        if (settings.Kafka is not null)
        {
            services.AddHostedService<RelayService>();
        }

        if (settings.Alertmanager is not null)
        {
            services.AddHostedService<AlertmanagerService>();
        }

        if (settings.Webhooks.Webhooks.Count > 0)
        {
            services.AddHostedService<WebhookService>();
        }
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
}
