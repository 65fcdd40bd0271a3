using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using MQTTnet.Channel;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// Makes the network connection: TCP with a limit on unsent bytes, and TLS. MQTTnet then takes the stream from here.
/// </summary>
internal sealed class MqttDialer(MqttUplinkOptions options, MqttTls? tls, int packetBytesMax, TimeProvider time)
    : IMqttClientStreamProvider
{
    private const int IpProtoTcp = 6;
    private const int TcpNotSentLowWaterMark = 25;

    private MqttStream? _stream;

    /// <summary>Opens the connection, within the connect timeout.</summary>
    /// <exception cref="UplinkException">No connection can be made.</exception>
    public async Task<MqttStream> OpenAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return _stream = await DialAsync(both.Token);
        }
        catch (Exception e) when (
            e is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            // A failure at the moment of a cancellation counts as cancelled, whichever came first.
            cancellationToken.ThrowIfCancellationRequested();
            var what = e is OperationCanceledException ? "no connection in time" : e.Message;
            throw new UplinkException($"MQTT connection failed: {what}", isTransient: true, e);
        }
    }

    /// <summary>The stream that was opened; MQTTnet owns it from here on.</summary>
    public Task<Stream> ConnectAsync(EndPoint brokerEndPoint, CancellationToken cancellationToken) =>
        Task.FromResult<Stream>(_stream ?? throw new InvalidOperationException("not opened yet"));

    private async Task<MqttStream> DialAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            if (OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(
                    IpProtoTcp, TcpNotSentLowWaterMark, BitConverter.GetBytes(options.UnsentBytesMax));
            }

            await socket.ConnectAsync(options.Host, options.Port, cancellationToken);
            Stream stream = new NetworkStream(socket, ownsSocket: false);
            if (tls is not null)
            {
                var encrypted = new SslStream(stream);
                await encrypted.AuthenticateAsClientAsync(tls.For(options.Host), cancellationToken);
                stream = encrypted;
            }

            return new MqttStream(stream, socket, packetBytesMax, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
