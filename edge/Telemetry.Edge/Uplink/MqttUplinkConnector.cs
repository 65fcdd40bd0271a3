using System.Security.Cryptography.X509Certificates;
using System.Text;
using Telemetry.Model;
using Telemetry.Mqtt;

namespace Telemetry.Edge.Uplink;

/// <summary>Connects to an ingress or a broker by MQTT 5.</summary>
public sealed class MqttUplinkConnector : IUplinkConnector, IDisposable
{
    private readonly MqttClientOptions _options;
    private readonly string _downTopic;
    private readonly TimeProvider _time;

    /// <summary>
    /// Reads the certificates; throws <see cref="System.Security.Cryptography.CryptographicException"/> or an I/O
    /// error.
    /// </summary>
    public MqttUplinkConnector(MqttUplinkOptions options, GatewayId gateway, TimeProvider time)
    {
        _downTopic = Routes.DownTopic(gateway);
        _time = time;
        _options = new MqttClientOptions
        {
            Host = options.Host,
            Port = options.Port,
            ClientId = gateway.Value,
            UserName = options.User.Length > 0 ? options.User : gateway.Value,
            Password = options.Password.Length > 0 ? Encoding.UTF8.GetBytes(options.Password) : null,
            KeepAlive = options.KeepAlive,
            ConnectTimeout = options.ConnectTimeout,
            SocketUnsentBytesMax = options.UnsentBytesMax,
            Tls = options.Tls ? Tls(options) : null,
            // An answer to a hello may be larger than a frame.
            Limits = new MqttSessionLimits { PacketBytesMax = 1024 * 1024 },
        };
    }

    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new MqttUplinkConnection(_options, _time);
        try
        {
            await connection.OpenAsync(_downTopic, cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public void Dispose() => _options.Tls?.ClientCertificate?.Dispose();

    private static MqttClientTlsOptions Tls(MqttUplinkOptions options)
    {
        X509Certificate2Collection? authorities = null;
        if (options.AuthorityFile.Length > 0)
        {
            authorities = [];
            authorities.ImportFromPemFile(options.AuthorityFile);
        }

        return new MqttClientTlsOptions
        {
            TargetHost = options.ServerName.Length > 0 ? options.ServerName : null,
            TrustedAuthorities = authorities,
            ClientCertificate = options.CertificateFile.Length > 0
                ? X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile)
                : null,
        };
    }
}
