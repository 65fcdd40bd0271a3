using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams;

/// <summary>
/// The state of a stream: when it was created, its first and last sequence (first = last + 1 when it is empty), the
/// bytes that it holds, the most that it may hold (0: no limit), and how long it keeps a message (0: for ever).
/// </summary>
public readonly record struct StreamState(
    long CreatedNanos, long First, long Last, long Bytes = 0, long BytesMax = 0, TimeSpan MaxAge = default);

/// <summary>
/// The log stored a message, or reported that it has it already: a duplicate does not prove that the message is still
/// there.
/// </summary>
public readonly record struct FrameAppend(long Sequence, bool Duplicate);

/// <summary>
/// One message of a stream. Unless copied, the data is valid until the reader is asked for the first message after this
/// batch.
/// </summary>
public sealed record FrameLogMessage(
    GatewayId Gateway, string MessageId, ReadOnlyMemory<byte> Data, long Sequence, long StoredAtNanos);

/// <summary>
/// The frame log: two streams for each partition. There are two implementations under one contract test: JetStream, and
/// the simulated one. Errors are <see cref="FrameLogException"/>. A stream's description contains the facts of its
/// installation. A stream with other facts is refused with <see cref="InstallationException"/>, and appends never reach
/// it.
/// </summary>
public interface IFrameLog
{
    /// <summary>
    /// The facts with which this process uses the log. Null before they are known: then only <see
    /// cref="FindInstallationAsync"/> may be called.
    /// </summary>
    InstallationFacts? Facts { get; }

    /// <summary>The installation that the log belongs to; null while nobody has made its streams.</summary>
    ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes the two streams of a partition if they are missing. Only a process with access to the database may call
    /// this, because the facts in the database are authoritative. A log of an earlier generation is moved to the new
    /// one.
    /// </summary>
    Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Appends a message; completes when the log has acknowledged it durably. At the stream's byte limit it throws an
    /// exception with IsFull.
    /// </summary>
    ValueTask<FrameAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken);

    /// <summary>The state of a stream; null when it does not exist.</summary>
    ValueTask<StreamState?> StateAsync(int partition, StreamKind stream, CancellationToken cancellationToken);

    /// <summary>The message with a sequence; null when there is none (purged, aged out, never written).</summary>
    ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken);

    /// <summary>
    /// Begins an ephemeral reader without acks at <paramref name="from"/>, or at the first message after it. It ends
    /// when the connection was lost, the stream was replaced, or sequences are missing; the caller then checks its
    /// position and begins a new reader.
    /// </summary>
    ValueTask<IFrameLogReader> BeginAsync(
        int partition, StreamKind stream, long from, CancellationToken cancellationToken);

    /// <summary>Removes the messages before <paramref name="below"/>.</summary>
    Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken);
}

/// <summary>Reads a stream in order.</summary>
public interface IFrameLogReader : IAsyncDisposable
{
    /// <summary>
    /// Waits until there is a message (true) or the reader has ended (false; <see cref="End"/> tells why).
    /// </summary>
    ValueTask<bool> WaitAsync(CancellationToken cancellationToken);

    /// <summary>Returns the next message without waiting.</summary>
    bool TryRead(out FrameLogMessage message);

    /// <summary>Why the reader ended; null while it is running.</summary>
    string? End { get; }
}

/// <summary>
/// The log is out of reach or refuses a message. Never a reason to lose anything: the frame stays at the edge.
/// </summary>
public sealed class FrameLogException(string message, bool isFull = false, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when the stream is at its byte limit.</summary>
    public bool IsFull { get; } = isFull;
}
