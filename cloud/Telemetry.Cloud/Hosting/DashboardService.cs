using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Live;
using Telemetry.Diagnostics.Failures;
using System.Net;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Access;
using Telemetry.Storage.Postgres.Acts;
using Telemetry.Storage.Postgres.Fleet;

namespace Telemetry.Cloud.Hosting;

/// <summary>The role of the dashboard: the pages on which people watch the fleet, and their API.</summary>
internal sealed class DashboardService(RoleContext context, ServersService servers) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private FleetQueries? _queries;
    private DashboardUsers? _users;
    private OperatorActs? _acts;
    private DashboardServer? _server;
    private FleetFeed? _feed;

    /// <summary>
    /// Without users everybody who reaches it may do everything, so nobody but this machine must reach it.
    /// </summary>
    public static void RefuseWithoutUsers(IPAddress address, int users)
    {
        if (users == 0 && !IPAddress.IsLoopback(address))
        {
            throw new StartException(
                $"dashboard.address: {address} is not allowed while there are no users; add one with "
                + "\"telemetry user add\", or use an address of the loopback (127.0.0.1 or ::1)");
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var (settings, time) = (context.Settings, context.Time);
        var options = settings.Dashboard!;
        var logger = context.Logging.CreateLogger("Telemetry.Cloud.Dashboard");
        var connection = settings.Database!.ConnectionString;
        (_queries, _users) = (new FleetQueries(connection), new DashboardUsers(connection));
        _acts = new OperatorActs(
            connection, new ReadingCheck(settings.Processor.TimeFirst, settings.Processor.TimeLast));
        var users = await CountUsersAsync(cancellationToken);
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
                options, model, _feed, events, new DashboardStores(_queries, _users, _acts), new NoLifetime(),
                context.Logging, time, cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("dashboard", options.EndPoint, e, out var fault))
        {
            throw fault;
        }

        Say(users, options);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await base.StopAsync(cancellationToken);
        foreach (var store in new IAsyncDisposable?[] { _queries, _users, _acts })
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }
        }
    }

    // After a repartition the subjects are others: it ends, and is started again with the new number.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAny(
        new InstallationWatch(servers.Log!, _ => { }, context.Time).RunAsync(stoppingToken),
        _feed!.RunAsync(stoppingToken)).Unwrap();

    private async Task<int> CountUsersAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var users = await _users!.CountAsync(cancellationToken);
                RefuseWithoutUsers(context.Settings.Dashboard!.EndPoint.Address, users);
                return users;
            }
            catch (StoreException e) when (e.IsUnreachable)
            {
                context.Database?.Failed(e.Message);
                await Task.Delay(RetryAfter, context.Time, cancellationToken);
            }
        }
    }

    private void Say(int users, DashboardOptions options)
    {
        OperationsLog.DashboardStarted(context.ProcessLog, _server!.Address);
        if (users == 0 && !options.BehindTls)
        {
            OperationsLog.DashboardOpen(context.ProcessLog);
        }
        else if (!options.BehindTls && !IPAddress.IsLoopback(options.EndPoint.Address))
        {
            OperationsLog.DashboardPlain(context.ProcessLog);
        }
    }
}
