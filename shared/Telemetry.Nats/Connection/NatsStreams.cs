using System.Net.Security;
using System.Net.Sockets;

namespace Telemetry.Nats;

/// <summary>Opens TCP and TLS streams to servers.</summary>
internal static class NatsStreams
{
    public static async ValueTask<Stream> OpenTcpAsync(NatsServerAddress address, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static async ValueTask<Stream> UpgradeAsync(
        Stream plain, NatsServerAddress address, SslClientAuthenticationOptions? options, CancellationToken ct)
    {
        var tls = new SslStream(plain);
        try
        {
            await tls.AuthenticateAsClientAsync(Complete(options, address.Host), ct);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>The caller's options are shared by all links, so the host is filled into a copy.</summary>
    private static SslClientAuthenticationOptions Complete(SslClientAuthenticationOptions? options, string host) =>
        options is null ? new() { TargetHost = host }
        : !string.IsNullOrEmpty(options.TargetHost) ? options
        : new()
        {
            TargetHost = host,
            ClientCertificates = options.ClientCertificates,
            ClientCertificateContext = options.ClientCertificateContext,
            LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
            CertificateChainPolicy = options.CertificateChainPolicy,
            CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
            EnabledSslProtocols = options.EnabledSslProtocols,
            EncryptionPolicy = options.EncryptionPolicy,
            CipherSuitesPolicy = options.CipherSuitesPolicy,
        };
}
