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

namespace Telemetry.Dashboard;

/// <summary>The dashboard over HTTP: the pages, and the API that they and scripts use.</summary>
public sealed class DashboardServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly HistoryApi _history;
    private readonly Login _login;

    private DashboardServer(WebApplication application, HistoryApi history, Login login) =>
        (_application, _history, _login) = (application, history, login);

    /// <summary>The address that is really listened on.</summary>
    public string Address =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Begins to listen; throws what Kestrel throws where it cannot.</summary>
    public static async Task<DashboardServer> StartAsync(
        DashboardOptions options, FleetModel model, FleetFeed feed, EventStream events, DashboardStores stores,
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
        var history = new HistoryApi(stores.Queries, model, options, time);
        var cookie = new SessionCookie(options);
        var visitors = new Visitors(stores.Users, cookie, options, time);
        var login = new Login(stores.Users, options, time);
        var guard = new RequestGuard(visitors);
        application.Use((context, next) => guard.RunAsync(context, next));
        Map(application, new FleetApi(model, feed, events, visitors, options, time), history);
        Map(
            application, new LoginApi(login, visitors, cookie, stores.Users, options),
            new ActsApi(stores.Acts, time));
        Map(application, new EmbeddedFiles());
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch
        {
            await application.DisposeAsync();
            history.Dispose();
            login.Dispose();
            throw;
        }

        return new DashboardServer(application, history, login);
    }

    public async ValueTask DisposeAsync()
    {
        // Events end only when their page is closed; nothing is lost if they are cut.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(limit.Token);
        await _application.DisposeAsync();
        _history.Dispose();
        _login.Dispose();
    }

    private static void Map(WebApplication application, FleetApi fleet, HistoryApi history)
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
    }

    private static void Map(WebApplication application, LoginApi login, ActsApi acts)
    {
        application.MapGet("/api/session", LoginApi.SessionAsync);
        application.MapPost("/api/login", login.LoginAsync);
        application.MapPost("/api/logout", login.LogoutAsync);
        application.MapPost("/api/alerts/{id}/acknowledge", acts.AcknowledgeAsync);
        application.MapGet("/api/silences", acts.SilencesAsync);
        application.MapPost("/api/silences", acts.SilenceAsync);
        application.MapDelete("/api/silences/{id:long:min(0)}", acts.EndSilenceAsync);
        application.MapPost("/api/dead-letters/{id:long:min(0)}/retry", acts.RetryAsync);
    }

    private static void Map(WebApplication application, EmbeddedFiles files)
    {
        application.MapGet("/api/openapi.json", context => AnswerAsync(context, files, "wwwroot/openapi.json"));
        string[] pages =
            ["/", "/gateway", "/alerts", "/series", "/books", "/pipeline", "/runbook", "/login"];
        foreach (var page in pages)
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
