using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>Connects to an ingress or a broker by MQTT 5.</summary>
public sealed class MqttUplinkConnector : IUplinkConnector, IDisposable
{
    private readonly MqttUplinkOptions _options;
    private readonly MqttTls? _tls;
    private readonly GatewayId _gateway;
    private readonly TimeProvider _time;

    /// <summary>
    /// Reads the certificates; throws <see cref="System.Security.Cryptography.CryptographicException"/> or an I/O
    /// error.
    /// </summary>
    public MqttUplinkConnector(MqttUplinkOptions options, GatewayId gateway, TimeProvider time)
        : this(options, options.Tls ? MqttTls.Read(options) : null, gateway, time)
    {
    }

    internal MqttUplinkConnector(MqttUplinkOptions options, MqttTls? tls, GatewayId gateway, TimeProvider time) =>
        (_options, _tls, _gateway, _time) = (options, tls, gateway, time);

    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new MqttUplinkConnection(_options, _tls, _gateway, _time);
        try
        {
            await connection.OpenAsync(MqttTopics.Down(_gateway), cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public void Dispose() => _tls?.ClientCertificate?.Dispose();
}
