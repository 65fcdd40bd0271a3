using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The durable half of the outbox: one file that takes commits, completely or not at all. There are two implementations
/// under one contract test: SQLite, and a simulated disk that loses what was not yet durable. Called by one owner, one
/// commit at a time; reads may run beside a commit.
/// </summary>
public interface IOutboxFile : IAsyncDisposable
{
    /// <summary>
    /// Reads everything except the bytes of segments and frames, as the last durable commit left it. A file that names
    /// no gateway belongs to this gateway from now on; a file of another gateway is refused.
    /// </summary>
    ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the commit durable (SQLite: WAL, synchronous=FULL) before it returns. When the disk refuses or fails, it
    /// throws <see cref="OutboxException"/> with the kind of fault. If its <see cref="OutboxException.IsUndone"/> is
    /// true, nothing of the commit is in the file and the next one may be tried. After any other exception the caller
    /// does not know whether the commit happened, and must open the file again.
    /// </summary>
    ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken);

    /// <summary>The bytes of a held frame, and how many readings of which series it covers.</summary>
    ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken);

    /// <summary>
    /// The bytes of an unsealed segment (see SegmentColumns) and how many readings of which series it has.
    /// </summary>
    ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken);

    /// <summary>
    /// The space that the file uses on the disk, as the last commit left it. May be read beside other calls.
    /// </summary>
    OutboxSpace Space { get; }

    /// <summary>The frames in quarantine, oldest first.</summary>
    ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken);
}

/// <summary>
/// Bytes as they were committed, each null when they are missing or damaged. <paramref name="Counts"/> (see <see
/// cref="SeriesCounts"/>) is stored separately, so that readings whose bytes are damaged can still be declared.
/// </summary>
public readonly record struct StoredBytes(byte[]? Data, byte[]? Counts);
