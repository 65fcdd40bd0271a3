namespace Telemetry.MqttSessions;

/// <summary>Limits of one session. Each says what happens when it is reached.</summary>
public sealed record MqttSessionLimits
{
    /// <summary>
    /// Largest packet taken from the client, bytes with header, at least 1,024. Announced as Maximum Packet Size; a
    /// larger one ends the connection with 0x95 before anything is allocated for it. Default 256 KiB.
    /// </summary>
    public int PacketBytesMax { get; init; } = 256 * 1024;

    /// <summary>Largest CONNECT a listener takes, bytes: a stranger gets no more memory. Default 16 KiB.</summary>
    public int ConnectBytesMax { get; init; } = 16 * 1024;

    /// <summary>
    /// Received QoS 1 messages that may wait for the application at once, 1 to 65,535. Announced as Receive Maximum; a
    /// client that sends more is disconnected with 0x93. As many QoS 0 messages may wait; then reading pauses. Default
    /// 32.
    /// </summary>
    public int ReceiveMaximum { get; init; } = 32;

    /// <summary>
    /// Bytes of received messages that may wait for the application; beyond it reading pauses. Default 4 MiB.
    /// </summary>
    public long InFlightBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Messages waiting to be sent to the client; one more is refused to the caller. Default 1,024.</summary>
    public int QueuedMessagesMax { get; init; } = 1024;

    /// <summary>
    /// Bytes of messages waiting to be sent to the client; more is refused to the caller. Default 4 MiB.
    /// </summary>
    public long QueuedBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Subscriptions of one session; a further one is answered with 0x97. Default 32.</summary>
    public int SubscriptionsMax { get; init; } = 32;

    /// <summary>
    /// Longest keep-alive a listener grants, up to 18 hours; a client that asks for more, or for none, is told this one
    /// (Server Keep Alive), so that no dead connection stays. Default 5 minutes.
    /// </summary>
    public TimeSpan KeepAliveMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// From the socket's connection to the CONNACK, TLS and authentication included; then closed. Default 10 s.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one write may wait for a client that does not read; then closed. Default 60 s.</summary>
    public TimeSpan OutputStallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <exception cref="ArgumentOutOfRangeException">Names the option that is out of range.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(PacketBytesMax, 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PacketBytesMax, Packets.PacketScanner.PacketBytesLargest);
        ArgumentOutOfRangeException.ThrowIfLessThan(ConnectBytesMax, 128);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ReceiveMaximum);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ReceiveMaximum, ushort.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(InFlightBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(QueuedMessagesMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(QueuedBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(SubscriptionsMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepAliveMax, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeepAliveMax, TimeSpan.FromSeconds(ushort.MaxValue));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(OutputStallTimeout, TimeSpan.Zero);
    }
}
