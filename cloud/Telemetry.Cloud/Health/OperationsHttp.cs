using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Ledger;

namespace Telemetry.Cloud.Health;

/// <summary>
/// What operators and their tools ask over HTTP: /health/live, /health/ready, /metrics, /api/gateways,
/// /api/gateways/ID and /api/process. Without authentication: bound to the loopback unless configured otherwise.
/// </summary>
internal sealed class OperationsHttp : IAsyncDisposable
{
    private readonly WebApplication _application;

    private OperationsHttp(WebApplication application) => _application = application;

    /// <summary>The address that is really listened on.</summary>
    public string Address =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>
    /// Begins to listen; throws <see cref="StartException"/> where it cannot. <paramref name="books"/> is null where no
    /// database is configured.
    /// </summary>
    public static async Task<OperationsHttp> StartAsync(
        CloudSettings settings,
        CloudHealth health,
        PrometheusText metrics,
        BooksReader? books,
        ILoggerFactory logging,
        CancellationToken cancellationToken)
    {
        // Tried before Kestrel does it, which would log a trace.
        ListenFault.Try("http", settings.HttpEndPoint);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Listen(settings.HttpEndPoint);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logging);
        // The process' own signals stop it; this host is only a part of it.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var application = builder.Build();
        Map(application, settings, health, metrics, books);
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (ListenFault.TryFind("http", settings.HttpEndPoint, e, out var fault))
        {
            await application.DisposeAsync();
            throw fault;
        }

        return new OperationsHttp(application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private static void Map(
        WebApplication application,
        CloudSettings settings,
        CloudHealth health,
        PrometheusText metrics,
        BooksReader? books)
    {
        application.MapGet(RunningProcess.Path, () => Results.Text(RunningProcess.Describe(settings)));
        application.MapGet("/health/live", () => Results.Text("live\n"));
        application.MapGet("/health/ready", () =>
        {
            var problems = health.Problems();
            return Results.Text(
                problems.Count == 0 ? "ready\n" : string.Concat(problems.Select(problem => problem + "\n")),
                statusCode: problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
        application.MapGet("/metrics", () => Results.Text(metrics.Write(), "text/plain; version=0.0.4"));
        application.MapGet("/api/gateways", (string? after, CancellationToken ct) =>
            Answer(books, async found => Results.Json(await found.ListAsync(after ?? "", ct))));
        application.MapGet("/api/gateways/{id}", (string id, CancellationToken ct) =>
            Answer(books, async found =>
                await found.FindAsync(id, ct) is { } book ? Results.Json(book) : Results.NotFound()));
    }

    private static async Task<IResult> Answer(BooksReader? books, Func<BooksReader, Task<IResult>> answer)
    {
        if (books is null)
        {
            return Results.Text(
                "no database is configured in this process\n", statusCode: StatusCodes.Status404NotFound);
        }

        try
        {
            return await answer(books);
        }
        catch (StoreException e)
        {
            return Results.Text($"the database: {e.Message}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
