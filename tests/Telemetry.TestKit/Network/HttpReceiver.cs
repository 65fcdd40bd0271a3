using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Telemetry.TestKit.Network;

/// <summary>A request as it came.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Headers">Its headers, by name in any case.</param>
/// <param name="Body">Its body.</param>
public sealed record ReceivedRequest(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>
/// An HTTP server on a free port of 127.0.0.1 that keeps what it receives, and answers as it is told: with a status, or
/// not at all.
/// </summary>
public sealed class HttpReceiver : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();
    private readonly TaskCompletionSource _disposed = new();

    private HttpReceiver(WebApplication application) => _application = application;

    /// <summary>The requests so far, answered or not.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    /// <summary>The status for a request; 0: no answer until this is disposed.</summary>
    public Func<ReceivedRequest, int> Answer { get; set; } = _ => 200;

    /// <summary>The value of Retry-After in answers; empty: none.</summary>
    public string RetryAfter { get; set; } = "";

    public Uri Address =>
        new(_application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Begins to listen.</summary>
    public static async Task<HttpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        var receiver = new HttpReceiver(application);
        application.Run(receiver.TakeAsync);
        await application.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        _disposed.TrySetResult();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new ReceivedRequest(
            context.Request.Path.Value ?? "",
            context.Request.Headers.ToDictionary(
                h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
        var status = Answer(request);
        _requests.Enqueue(request);
        if (status == 0)
        {
            await _disposed.Task;
            return;
        }

        context.Response.StatusCode = status;
        if (RetryAfter.Length > 0)
        {
            context.Response.Headers.RetryAfter = RetryAfter;
        }

        if (status != StatusCodes.Status204NoContent)
        {
            await context.Response.WriteAsync("said by the receiver");
        }
    }
}
