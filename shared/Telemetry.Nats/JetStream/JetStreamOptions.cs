namespace Telemetry.Nats;

/// <summary>How a <see cref="JetStreamContext"/> behaves.</summary>
public sealed record JetStreamOptions
{
    /// <summary>
    /// Publishes that wait for their acknowledgement at a time; at the limit publishers wait in order. Default 4096.
    /// </summary>
    public int PublishesInFlightMax { get; init; } = 4096;

    /// <summary>
    /// How long a publish waits for its acknowledgement, counted from when it entered the window; then
    /// <see cref="NatsTimeoutException"/>. Default 5 s.
    /// </summary>
    public TimeSpan PublishTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an API request (streams, consumers, reads) waits for its answer. Default 5 s.</summary>
    public TimeSpan ApiTimeout { get; init; } = TimeSpan.FromSeconds(5);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(PublishesInFlightMax, 1, nameof(PublishesInFlightMax));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PublishTimeout, TimeSpan.Zero, nameof(PublishTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ApiTimeout, TimeSpan.Zero, nameof(ApiTimeout));
    }
}
