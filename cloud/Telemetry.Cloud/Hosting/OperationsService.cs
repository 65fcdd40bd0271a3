using Microsoft.Extensions.Hosting;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Storage.Postgres.Ledger;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Health, metrics and the gateways' books over HTTP. It starts first, so that it can be asked why the process is not
/// ready. An ingress alone may have a database for these questions; it works without.
/// </summary>
internal sealed class OperationsService(RoleContext context, PrometheusText text) : IHostedService
{
    private BooksReader? _books;
    private OperationsHttp? _http;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var settings = context.Settings;
        _books = settings.Database is { } options ? new BooksReader(options.ConnectionString) : null;
        _http = await OperationsHttp.StartAsync(
            settings, context.Health, text, _books, context.Logging, cancellationToken);
        OperationsLog.Started(context.ProcessLog, settings.Roles, settings.Ingress.Partitions, _http.Address);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_http is not null)
        {
            await _http.DisposeAsync();
        }

        if (_books is not null)
        {
            await _books.DisposeAsync();
        }
    }
}
