namespace Telemetry.Edge.Outbox;

/// <summary>
/// The durable half of the outbox: one file that takes commits, whole or not at all. Two implementations under one
/// contract test: SQLite, and a simulated disk that loses what was not yet durable. Called by one owner, one call at a
/// time for commits; reads may run beside a commit.
/// </summary>
public interface IOutboxFile : IAsyncDisposable
{
    /// <summary>Everything but the bytes of segments and frames, as the last durable commit left it. A new file gets its random id here.</summary>
    ValueTask<OutboxImage> LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes the commit durable (SQLite: WAL, synchronous=FULL) before it returns. When it throws, the caller does not
    /// know whether it happened, and opens the file anew.
    /// </summary>
    ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken);

    /// <summary>The bytes of a held frame; null when they are gone or damaged.</summary>
    ValueTask<byte[]?> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken);

    /// <summary>The bytes of an unsealed segment (see ReadingColumns); null when they are gone or damaged.</summary>
    ValueTask<byte[]?> ReadSegmentAsync(long segment, CancellationToken cancellationToken);
}
