using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Telemetry.MqttSessions.Transport;

/// <summary>
/// Kestrel as a listener for connections that are not HTTP. It takes and closes sockets and does TLS; its limits on
/// connections and requests are not set or not reached, so that the listener's own are the only ones.
/// </summary>
internal sealed class KestrelHost : IAsyncDisposable
{
    private const int Backlog = 1024;

    private readonly WebApplication _application;
    private readonly IPEndPoint _wanted;
    private ListenOptions? _listening;

    /// <summary>Makes a host that does not listen yet.</summary>
    /// <param name="options">Where and how to listen.</param>
    /// <param name="certificate">The server's certificate; null speaks plain TCP.</param>
    /// <param name="take">
    /// Called with each connection and what goes on with it: the TLS handshake, then <paramref name="serve"/>. The
    /// connection is closed when the task completes.
    /// </param>
    /// <param name="serve">Called with each connection that has its TLS, if any.</param>
    public KestrelHost(
        MqttListenerOptions options, SslStreamCertificateContext? certificate,
        Func<ConnectionContext, ConnectionDelegate, Task> take, Func<ConnectionContext, Task> serve)
    {
        _wanted = new IPEndPoint(options.Address, options.Port);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            kestrel.Listen(_wanted, listen =>
            {
                _listening = listen;
                listen.Use(next => connection => take(connection, next));
                if (options.Tls is { } tls)
                {
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => new(TlsSetup.ForListener(tls, certificate!)),
                        HandshakeTimeout = options.Limits.ConnectTimeout,
                    });
                }
                listen.Run(serve);
            }));
        builder.Services.Configure<SocketTransportOptions>(sockets => Configure(sockets, options.Limits));
        builder.Services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        // The process' own signals stop it; this host is only a part of it.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        _application = builder.Build();
    }

    /// <summary>The port that is really listened on; 0 before <see cref="StartAsync"/>.</summary>
    public int Port => _listening?.IPEndPoint?.Port ?? 0;

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (Find(e) is { } refused)
        {
            throw new SocketException((int)refused.SocketErrorCode, refused.Message);
        }
    }

    /// <summary>Listens no more, waits until all connections have ended, or cuts them when cancelled.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void Configure(SocketTransportOptions sockets, MqttSessionLimits limits)
    {
        sockets.Backlog = Backlog;
        sockets.CreateBoundListenSocket = Bind;
        // So much is received ahead of the session: a stranger whose password is being checked holds no more.
        sockets.MaxReadBufferSize = limits.ConnectBytesMax;
        // A flush completes only when the socket has taken all, see ISessionLink.
        sockets.MaxWriteBufferSize = 1;
    }

    private static Socket Bind(EndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SocketException? Find(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
            if (error is SocketException found) return found;
        return null;
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
