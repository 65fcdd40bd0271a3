using System.Threading.Channels;

namespace Telemetry.Edge.Uplink;

/// <summary>Makes connections to the cloud. There are two implementations: MQTT 5, and the simulated network.</summary>
public interface IUplinkConnector
{
    /// <summary>
    /// Makes one connection, subscribed to the gateway's down topic before this returns. Throws <see
    /// cref="UplinkException"/> when no connection can be made.
    /// </summary>
    Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken);
}

/// <summary>
/// One connection. After <see cref="Closed"/> completes it stays broken; the owner disposes it and makes another one.
/// </summary>
public interface IUplinkConnection : IAsyncDisposable
{
    /// <summary>How many publishes may wait for their PUBACK at once.</summary>
    int InFlightMax { get; }

    /// <summary>
    /// Messages from the cloud. Bounded: when it is full the oldest is dropped, and the next hello makes up for it.
    /// </summary>
    ChannelReader<ReadOnlyMemory<byte>> Down { get; }

    /// <summary>Completes when the connection is broken or closed; never faults.</summary>
    Task Closed { get; }

    /// <summary>
    /// Publishes at QoS 1 and completes with the PUBACK. The payload must not change until then. Throws <see
    /// cref="UplinkException"/> when the connection breaks first: it is then unknown whether the message arrived.
    /// </summary>
    ValueTask<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}

/// <summary>
/// A PUBACK: its reason code (MQTT 5.0, 3.4.2.1), the receipt property if there was one, and the reason string.
/// </summary>
public readonly record struct PublishOutcome(byte ReasonCode, string? Receipt, string? Reason)
{
    /// <summary>True when the broker or ingress accepted the message.</summary>
    public bool Accepted => ReasonCode < 0x80;
}

/// <summary>
/// The link is down, or the cloud refuses this agent. When <see cref="IsTransient"/> is false, only an operator can
/// repair it (wrong password).
/// </summary>
public sealed class UplinkException(string message, bool isTransient, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when trying again later can help.</summary>
    public bool IsTransient { get; } = isTransient;
}
