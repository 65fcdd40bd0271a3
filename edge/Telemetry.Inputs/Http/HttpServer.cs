using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Telemetry.Inputs.Http;

/// <summary>
/// Kestrel with nothing around it but our limits. What it refuses by itself (broken heads, heads too long or too slow)
/// is counted here; the requests that it lets through go to the handler, on the pool's threads.
/// </summary>
internal sealed class HttpServer : IAsyncDisposable
{
    private const string BadRequestEvent = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly WebApplication _application;
    private readonly ConnectionLimit _limit;
    private readonly IDisposable _badRequests;
    private readonly TimeProvider _time;
    private bool _stopped;

    private HttpServer(WebApplication application, ConnectionLimit limit, IDisposable badRequests, TimeProvider time)
    {
        _application = application;
        _limit = limit;
        _badRequests = badRequests;
        _time = time;
    }

    /// <summary>What is listened on.</summary>
    public string Address =>
        _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public int Connections => _limit.Connections;

    /// <summary>Begins to listen; throws <see cref="IOException"/> when the port is taken.</summary>
    public static async Task<HttpServer> StartAsync(
        HttpInputOptions options, RequestDelegate handler, HttpCounters counters, TimeProvider time,
        CancellationToken ct)
    {
        var tls = options.CertificateFile.Length > 0;
        var limit = new ConnectionLimit(options.ConnectionsMax, !tls, counters);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            Set(kestrel, options);
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(limit.Around);
                if (tls)
                {
                    listen.UseHttps(X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile));
                }
            });
        });
        // The process' own signals stop it; this host is only a part of it.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var application = builder.Build();
        application.Run(handler);
        var badRequests = application.Services.GetRequiredService<DiagnosticListener>()
            .Subscribe(new BadRequests(counters), name => name == BadRequestEvent);
        try
        {
            await application.StartAsync(ct);
        }
        catch
        {
            badRequests.Dispose();
            await application.DisposeAsync();
            throw;
        }

        return new HttpServer(application, limit, badRequests, time);
    }

    /// <summary>Listens no more, lets answers go out for a moment, and cuts the connections that are left.</summary>
    public async Task StopListeningAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            using var timeout = new CancellationTokenSource(StopTimeout, _time);
            await _application.StopAsync(timeout.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopListeningAsync();
        await _application.DisposeAsync();
        _badRequests.Dispose();
    }

    private static void Set(KestrelServerOptions kestrel, HttpInputOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = options.BodyBytesMax;
        limits.MaxRequestHeadersTotalSize = options.HeadBytesMax;
        limits.MaxRequestLineSize = options.HeadBytesMax;
        limits.MaxRequestBufferSize = Math.Max(options.HeadBytesMax, 64 * 1024);
        limits.RequestHeadersTimeout = options.HeadTimeout;
        limits.KeepAliveTimeout = options.IdleTimeout;
        // A slow body has a limit of its own, in all: BodyTimeout.
        limits.MinRequestBodyDataRate = null;
    }

    private sealed class BadRequests(HttpCounters counters) : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value)
        {
            var refused = (value.Value as IFeatureCollection)?.Get<IBadRequestExceptionFeature>()?.Error;
            if (refused is Microsoft.AspNetCore.Http.BadHttpRequestException error)
            {
                counters.Answered(error.StatusCode);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
