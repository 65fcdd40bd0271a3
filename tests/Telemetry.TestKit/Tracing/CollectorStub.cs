using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.TestKit.Tracing;

/// <summary>
/// An OpenTelemetry collector that keeps what it receives: OTLP over HTTP (POST /v1/traces) or over gRPC, on a free
/// port of 127.0.0.1. It can be made to hang or to refuse.
/// </summary>
public sealed class CollectorStub : IAsyncDisposable
{
    private const string GrpcPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    private const int GrpcPrefixBytes = 5;

    private readonly WebApplication _application;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly TaskCompletionSource _disposed = new();
    private int _requests;

    private CollectorStub(WebApplication application) => _application = application;

    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>Requests that came, answered or not.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>True: requests get no answer until this is disposed.</summary>
    public bool Hangs { get; set; }

    /// <summary>True: requests are answered with 400.</summary>
    public bool Refuses { get; set; }

    public Uri Address =>
        new(_application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Begins to listen.</summary>
    public static async Task<CollectorStub> StartAsync(bool grpc = false)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listen => listen.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var application = builder.Build();
        var stub = new CollectorStub(application);
        application.Run(context => stub.TakeAsync(context, grpc));
        await application.StartAsync();
        return stub;
    }

    public async ValueTask DisposeAsync()
    {
        _disposed.TrySetResult();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context, bool grpc)
    {
        Interlocked.Increment(ref _requests);
        if (Hangs)
        {
            await _disposed.Task;
        }

        if (Refuses || context.Request.Method != "POST" || context.Request.Path != (grpc ? GrpcPath : "/v1/traces"))
        {
            context.Response.StatusCode = 400;
            return;
        }

        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        foreach (var span in ReceivedSpan.Read(body.ToArray().AsMemory(grpc ? GrpcPrefixBytes : 0)))
        {
            _spans.Enqueue(span);
        }

        // An empty ExportTraceServiceResponse: everything was taken.
        context.Response.ContentType = grpc ? "application/grpc" : "application/x-protobuf";
        if (grpc)
        {
            await context.Response.Body.WriteAsync(new byte[GrpcPrefixBytes]);
            context.Features.Get<IHttpResponseTrailersFeature>()!.Trailers["grpc-status"] = "0";
        }
    }
}
