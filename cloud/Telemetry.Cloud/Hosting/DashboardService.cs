using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Live;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Postgres.Fleet;

namespace Telemetry.Cloud.Hosting;

/// <summary>The role of the dashboard: the pages on which people watch the fleet, and their API.</summary>
internal sealed class DashboardService(RoleContext context, ServersService servers) : BackgroundService
{
    private FleetQueries? _queries;
    private DashboardServer? _server;
    private FleetFeed? _feed;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var (settings, time) = (context.Settings, context.Time);
        var options = settings.Dashboard!;
        var logger = context.Logging.CreateLogger("Telemetry.Cloud.Dashboard");
        _queries = new FleetQueries(settings.Database!.ConnectionString);
        var (model, events) = (new FleetModel(time), new EventStream(time));
        _feed = new FleetFeed(
            model, _queries, servers.FleetChannel!, events,
            new ReportedFailure(
                "The dashboard cannot read the database", "The dashboard reads the database again", time, logger,
                context.Database),
            time);
        try
        {
            _server = await DashboardServer.StartAsync(
                options, model, _feed, events, _queries, new NoLifetime(), context.Logging, time, cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("dashboard", options.EndPoint, e, out var fault))
        {
            throw fault;
        }

        OperationsLog.DashboardStarted(context.ProcessLog, _server.Address);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await base.StopAsync(cancellationToken);
        if (_queries is not null)
        {
            await _queries.DisposeAsync();
        }
    }

    // After a repartition the subjects are others: it ends, and is started again with the new number.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAny(
        new InstallationWatch(servers.Log!, _ => { }, context.Time).RunAsync(stoppingToken),
        _feed!.RunAsync(stoppingToken)).Unwrap();
}
