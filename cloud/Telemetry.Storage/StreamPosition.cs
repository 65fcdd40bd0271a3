namespace Telemetry.Storage;

/// <summary>
/// A place in a stream: when the stream was made, the last sequence that the database holds, that message's id and the
/// time it was stored. Sequence 0 or an empty id: nothing of that stream was read, or what stood there is gone.
/// </summary>
public readonly record struct StreamPosition(
    long StreamCreatedNanos, long Sequence, string MessageId, long StoredAtNanos)
{
    /// <summary>Nothing read yet.</summary>
    public static readonly StreamPosition None = new(0, 0, "", 0);
}
