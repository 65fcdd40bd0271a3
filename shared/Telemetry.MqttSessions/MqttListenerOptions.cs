using System.Net;

namespace Telemetry.MqttSessions;

/// <summary>Where and how a listener listens.</summary>
public sealed record MqttListenerOptions
{
    /// <summary>Address to bind. Default: the loopback, so that nothing is open by accident.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port; 0 takes a free one, see <see cref="MqttListener.Port"/>. Default 1883.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>TLS; null speaks plain TCP.</summary>
    public MqttListenerTlsOptions? Tls { get; init; }

    /// <summary>
    /// Connections at once, those not yet authenticated included; one more is closed at once. Default 20,000.
    /// </summary>
    public int ConnectionsMax { get; init; } = 20_000;

    /// <summary>Limits of each session.</summary>
    public MqttSessionLimits Limits { get; init; } = new();

    /// <exception cref="ArgumentOutOfRangeException">Names the option that is out of range.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Port, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ConnectionsMax);
        Limits.Validate();
    }
}
