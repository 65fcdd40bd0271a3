namespace Telemetry.Streams.JetStream;

/// <summary>How a <see cref="PullConsumer"/> asks for messages.</summary>
internal sealed record PullConsumerOptions
{
    /// <summary>
    /// The most messages that wait for the reader, including those requested. At the limit nothing more is requested,
    /// and the rest waits in the stream. Default 1024.
    /// </summary>
    public int MessagesMax { get; init; } = 1024;

    /// <summary>
    /// The most bytes that wait for the reader (subject, headers, payload); at the limit as above. A single message
    /// larger than this is fetched alone. Default 4 MiB.
    /// </summary>
    public int BytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long a pull stays open at the server before it is renewed. Default 30 s.</summary>
    public TimeSpan Expires { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often the server sends a heartbeat while there is nothing to deliver. Default 2 s; at most half of <see
    /// cref="Expires"/>.
    /// </summary>
    public TimeSpan IdleHeartbeat { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many missing heartbeats in a row end the consumer. Default 2.</summary>
    public int HeartbeatsMissedMax { get; init; } = 2;

    /// <summary>
    /// The server removes the consumer after this time without a pull. Default 1 min: longer than any pause of a
    /// working reader, and short enough that lost consumers do not accumulate.
    /// </summary>
    public TimeSpan InactiveThreshold { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Called when messages arrived or the consumer ended, by the receive loop or a timer; for a reader of many
    /// consumers. Must not block or throw. Default: none.
    /// </summary>
    public Action? Readable { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MessagesMax, 1, nameof(MessagesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesMax, 1024, nameof(BytesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(HeartbeatsMissedMax, 1, nameof(HeartbeatsMissedMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(
            IdleHeartbeat, TimeSpan.FromMilliseconds(100), nameof(IdleHeartbeat));
        ArgumentOutOfRangeException.ThrowIfLessThan(Expires, IdleHeartbeat * 2, nameof(Expires));
        ArgumentOutOfRangeException.ThrowIfLessThan(
            InactiveThreshold, TimeSpan.FromSeconds(1), nameof(InactiveThreshold));
    }
}
