using System.Threading.Channels;

namespace Telemetry.Edge.Uplink;

/// <summary>The way up: makes connections. Two implementations: MQTT 5, and the simulated network.</summary>
public interface IUplinkConnector
{
    /// <summary>
    /// One connection, subscribed to the gateway's down topic before it returns. Throws <see cref="UplinkException"/>
    /// when there is none to be had.
    /// </summary>
    Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken);
}

/// <summary>
/// One connection. Once <see cref="Closed"/> is complete it stays broken; the owner disposes it and asks for another.
/// </summary>
public interface IUplinkConnection : IAsyncDisposable
{
    /// <summary>How many publishes may wait for their PUBACK at once.</summary>
    int InFlightMax { get; }

    /// <summary>What comes down; bounded (when it is full the oldest is dropped: the next hello heals that).</summary>
    ChannelReader<ReadOnlyMemory<byte>> Down { get; }

    /// <summary>Completes when the connection is broken or closed; never faults.</summary>
    Task Closed { get; }

    /// <summary>
    /// Publishes at QoS 1 and completes with the PUBACK. The payload must not change until then. Throws
    /// <see cref="UplinkException"/> when the connection breaks before: nobody knows then whether it arrived.
    /// </summary>
    ValueTask<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}

/// <summary>
/// A PUBACK: its reason code (MQTT 5.0, 3.4.2.1), the receipt property where there was one, and the reason string.
/// </summary>
public readonly record struct PublishOutcome(byte ReasonCode, string? Receipt, string? Reason)
{
    /// <summary>True when the broker or ingress took it.</summary>
    public bool Accepted => ReasonCode < 0x80;
}

/// <summary>
/// The link is down or refuses us. <see cref="IsTransient"/> false: only an operator can mend it (bad password).
/// </summary>
public sealed class UplinkException(string message, bool isTransient, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when trying again later can help.</summary>
    public bool IsTransient { get; } = isTransient;
}
