using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams;

/// <summary>
/// A stream as it stands: when it was made, its first and last sequence (first = last + 1 when it is empty), the bytes
/// it holds and may hold at most (0: no limit).
/// </summary>
public readonly record struct StreamState(long CreatedNanos, long First, long Last, long Bytes = 0, long BytesMax = 0);

/// <summary>
/// The log took a message (or says that it has it: a duplicate proves nothing of what is still there).
/// </summary>
public readonly record struct FrameAppend(long Sequence, bool Duplicate);

/// <summary>
/// One message of a stream. The data is valid until the reader is asked for the next one after the batch, unless
/// copied.
/// </summary>
public sealed record FrameLogMessage(
    GatewayId Gateway, string MessageId, ReadOnlyMemory<byte> Data, long Sequence, long StoredAtNanos);

/// <summary>
/// The log: two streams a partition. Two implementations under one contract test: JetStream, and the simulated one.
/// Errors are <see cref="FrameLogException"/>. Streams carry the facts of their installation in their description; one that
/// carries others is refused with <see cref="InstallationException"/>, and appends never reach it.
/// </summary>
public interface IFrameLog
{
    /// <summary>
    /// The facts by which this process uses the log; null before they are known: then only
    /// <see cref="FindInstallationAsync"/> may be called.
    /// </summary>
    InstallationFacts? Facts { get; }

    /// <summary>What the log says of the installation it belongs to; null while nobody made its streams.</summary>
    ValueTask<StreamInstallation?> FindInstallationAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes the two streams of a partition where they are missing. Only who has the database may: what it holds is
    /// the truth about the facts. A log that says an earlier generation is told the new one.
    /// </summary>
    Task EnsureStreamsAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Appends; completes when the log has acknowledged it durably. At the stream's byte limit it throws with IsFull.
    /// </summary>
    ValueTask<FrameAppend> AppendAsync(
        int partition, StreamKind stream, GatewayId gateway, string messageId, ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken);

    /// <summary>Where the stream stands; null when there is no such stream.</summary>
    ValueTask<StreamState?> StateAsync(int partition, StreamKind stream, CancellationToken cancellationToken);

    /// <summary>The message at a sequence; null when there is none (purged, aged out, never written).</summary>
    ValueTask<FrameLogMessage?> ReadAsync(
        int partition, StreamKind stream, long sequence, CancellationToken cancellationToken);

    /// <summary>
    /// An ephemeral reader without acks, from <paramref name="from"/> on (or from the first message behind it). It ends
    /// when the connection was lost, the stream was replaced, or sequences jump; the caller then checks its position
    /// and begins anew.
    /// </summary>
    ValueTask<IFrameLogReader> BeginAsync(int partition, StreamKind stream, long from, CancellationToken cancellationToken);

    /// <summary>Removes the messages before <paramref name="below"/>.</summary>
    Task PurgeAsync(int partition, StreamKind stream, long below, CancellationToken cancellationToken);
}

/// <summary>Reads a stream in order.</summary>
public interface IFrameLogReader : IAsyncDisposable
{
    /// <summary>
    /// Waits until a message is there (true) or the reader has ended (false: <see cref="End"/> says why).
    /// </summary>
    ValueTask<bool> WaitAsync(CancellationToken cancellationToken);

    /// <summary>The next message without waiting.</summary>
    bool TryRead(out FrameLogMessage message);

    /// <summary>Why it ended; null while it goes on.</summary>
    string? End { get; }
}

/// <summary>The log is out of reach or refuses. Never a reason to lose anything: the frame stays at the edge.</summary>
public sealed class FrameLogException(string message, bool isFull = false, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when the stream is at its byte limit.</summary>
    public bool IsFull { get; } = isFull;
}
