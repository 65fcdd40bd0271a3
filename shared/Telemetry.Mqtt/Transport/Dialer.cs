using System.Net.Security;
using System.Net.Sockets;

namespace Telemetry.Mqtt.Transport;

/// <summary>Makes the network connection of a client.</summary>
internal static class Dialer
{
    public static async ValueTask<(Stream Stream, Socket? Socket)> DialAsync(MqttClientOptions options,
        CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            TcpSettings.Apply(socket, options.SocketUnsentBytesMax);
            await socket.ConnectAsync(options.Host, options.Port, ct);
            Stream stream = new NetworkStream(socket, ownsSocket: false);
            if (options.Tls is null) return (stream, socket);
            var tls = new SslStream(stream);
            await tls.AuthenticateAsClientAsync(TlsSetup.ForClient(options.Tls, options.Host), ct);
            return (tls, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
