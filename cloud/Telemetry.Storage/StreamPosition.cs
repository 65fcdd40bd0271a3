namespace Telemetry.Storage;

/// <summary>
/// A position in a stream: when the stream was created, the last sequence that the database has, and that message's id
/// and time of storage. A sequence of 0 or an empty id means that nothing of the stream was read, or that the message
/// at the position no longer exists.
/// </summary>
public readonly record struct StreamPosition(
    long StreamCreatedNanos, long Sequence, string MessageId, long StoredAtNanos)
{
    /// <summary>Nothing read yet.</summary>
    public static readonly StreamPosition None = new(0, 0, "", 0);
}
