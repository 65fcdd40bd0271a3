using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Telemetry.MqttSessions.Transport;

/// <summary>A connection that Kestrel took, plain or behind TLS.</summary>
internal sealed class KestrelLink(ConnectionContext connection) : ISessionLink
{
    public IDuplexPipe Pipe => connection.Transport;

    public async ValueTask EndSendingAsync()
    {
        if (connection.Features.Get<ISslStreamFeature>() is { } tls) await tls.SslStream.ShutdownAsync();
        connection.Features.Get<IConnectionSocketFeature>()?.Socket.Shutdown(SocketShutdown.Send);
    }

    public void Cut() => connection.Abort();
}
