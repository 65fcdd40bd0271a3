namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>Settings of the SQLite file.</summary>
public sealed record SqliteOutboxOptions
{
    /// <summary>
    /// The page size of a new file, in bytes. Default 1 KiB: a commit changes about seven pages of any size, and pages
    /// of 4 KiB made it write twice as much to the flash (docs/benchmarks/agent.md).
    /// </summary>
    public int PageBytes { get; init; } = 1024;

    /// <summary>
    /// The usual size of the write-ahead log, in bytes; at this size it is written back. Default 4 MiB: a larger log
    /// would save writes of pages that change often, and cost space and time at the next start. Allocated at the first
    /// start.
    /// </summary>
    public long WalBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// The space that the file reserves for seals and frees on a full disk, in bytes. Default 512 KiB: a frame of 1,024
    /// readings of any kind, with everything that it replaces. 0: nothing is reserved, not even the space of the log.
    /// </summary>
    public int ReserveBytes { get; init; } = 512 * 1024;

    /// <summary>The page cache, in bytes. Pages beyond it are read again.</summary>
    public int CacheBytesMax { get; init; } = 2 * 1024 * 1024;

    /// <summary>
    /// Checks the structure of the whole file when it is opened (quick_check), about a second per 100 MB. A file that
    /// fails is refused.
    /// </summary>
    public bool CheckAtOpen { get; init; } = true;

    /// <summary>
    /// The options for a quota: the log and the reserve count against it, so they are small for a small quota.
    /// </summary>
    public static SqliteOutboxOptions For(long quotaBytes) => new()
    {
        WalBytes = Math.Clamp(quotaBytes / 16, 256 * 1024, 4 * 1024 * 1024),
        ReserveBytes = (int)Math.Clamp(quotaBytes / 64, 128 * 1024, 512 * 1024),
    };

    /// <summary>
    /// For tests only: called with each statement's text before it runs; a <c>SqliteException</c> that it throws is
    /// treated as the statement's own.
    /// </summary>
    internal Action<string>? BeforeStatement { get; init; }
}
