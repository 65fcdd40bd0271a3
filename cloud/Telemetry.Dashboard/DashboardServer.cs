using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Dashboard.Access;
using Telemetry.Dashboard.Api;
using Telemetry.Dashboard.Live;
using Telemetry.Dashboard.Pages;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard;

/// <summary>The dashboard over HTTP: the pages, and the API that they and scripts use.</summary>
public sealed class DashboardServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly HistoryApi _history;

    private DashboardServer(WebApplication application, HistoryApi history) =>
        (_application, _history) = (application, history);

    /// <summary>The address that is really listened on.</summary>
    public string Address =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Begins to listen; throws what Kestrel throws where it cannot.</summary>
    public static async Task<DashboardServer> StartAsync(
        DashboardOptions options, FleetModel model, FleetFeed feed, EventStream events, IFleetQueries queries,
        IHostLifetime lifetime, ILoggerFactory logging, TimeProvider time, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Listen(options.EndPoint);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logging);
        builder.Services.AddSingleton(lifetime);
        var application = builder.Build();
        var history = new HistoryApi(queries, model, options, time);
        var files = new EmbeddedFiles();
        application.Use((context, next) => GuardAsync(context, next));
        Map(application, new FleetApi(model, feed, events, options, time), history, files);
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new DashboardServer(application, history);
    }

    public async ValueTask DisposeAsync()
    {
        // Events end only when their page is closed; nothing is lost if they are cut.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(limit.Token);
        await _application.DisposeAsync();
        _history.Dispose();
    }

    private static Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        SecurityHeaders.AddTo(context.Response);
        return LoopbackHosts.Allows(context.Request) ? next(context) : Problem.AnswerAsync(
            context, StatusCodes.Status421MisdirectedRequest, "Not this host",
            "without users the dashboard answers only to localhost, 127.0.0.1 and [::1]");
    }

    private static void Map(WebApplication application, FleetApi fleet, HistoryApi history, EmbeddedFiles files)
    {
        application.MapGet("/api/fleet", fleet.ListAsync);
        application.MapGet("/api/groups", fleet.GroupsAsync);
        application.MapGet("/api/events", fleet.EventsAsync);
        application.MapGet("/api/gateways/{name}", history.GatewayAsync);
        application.MapGet("/api/alerts", history.AlertsAsync);
        application.MapGet("/api/series", history.SeriesAsync);
        application.MapGet("/api/series/{series:int:min(0)}", history.ValuesAsync);
        application.MapGet("/api/books", history.BooksAsync);
        application.MapGet("/api/books/days", history.DaysAsync);
        application.MapGet("/api/pipeline", history.PipelineAsync);
        application.MapGet("/api/openapi.json", context => AnswerAsync(context, files, "wwwroot/openapi.json"));
        foreach (var page in new[] { "/", "/gateway", "/alerts", "/series", "/books", "/pipeline", "/runbook" })
        {
            application.MapGet(page, context => AnswerAsync(context, files, "wwwroot/index.html"));
        }

        application.MapGet("/runbooks/{name}", context =>
            AnswerAsync(context, files, $"runbooks/{context.Request.RouteValues["name"]}.md"));
        application.MapGet("/assets/{**path}", context =>
            AnswerAsync(context, files, $"wwwroot/{context.Request.RouteValues["path"]}"));
        application.MapFallback(context => Problem.AnswerAsync(
            context, StatusCodes.Status404NotFound, "Not found", "there is no such page"));
    }

    private static async Task AnswerAsync(HttpContext context, EmbeddedFiles files, string name)
    {
        if (!await files.TryAnswerAsync(context, name))
        {
            await Problem.AnswerAsync(
                context, StatusCodes.Status404NotFound, "Not found", "there is no such file");
        }
    }
}
