using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The durable half of the outbox: one file that takes commits, whole or not at all. Two implementations under one
/// contract test: SQLite, and a simulated disk that loses what was not yet durable. Called by one owner, one call at a
/// time for commits; reads may run beside a commit.
/// </summary>
public interface IOutboxFile : IAsyncDisposable
{
    /// <summary>
    /// Everything but the bytes of segments and frames, as the last durable commit left it. A file that says not whose
    /// it is belongs to this gateway from now on; one that is another's is refused.
    /// </summary>
    ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the commit durable (SQLite: WAL, synchronous=FULL) before it returns. When the disk refuses or fails it
    /// throws <see cref="OutboxException"/> with the kind of fault. Where that says
    /// <see cref="OutboxException.IsUndone"/> nothing of the commit is there and the next one may be tried. After any
    /// other exception the caller does not know whether it happened, and opens the file anew.
    /// </summary>
    ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken);

    /// <summary>The bytes of a held frame and how many readings of which series it covers.</summary>
    ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken);

    /// <summary>
    /// The bytes of an unsealed segment (see SegmentColumns) and how many readings of which series it has.
    /// </summary>
    ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken);

    /// <summary>What it takes of the disk, as the last commit left it. May be asked beside other calls.</summary>
    OutboxSpace Space { get; }

    /// <summary>What is in quarantine, oldest first.</summary>
    ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken);
}

/// <summary>
/// Bytes as they were committed, each null when they are gone or damaged. <paramref name="Counts"/> (see
/// <see cref="SeriesCounts"/>) is kept apart, so that readings whose bytes are damaged can still be declared.
/// </summary>
public readonly record struct StoredBytes(byte[]? Data, byte[]? Counts);
