namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>How the SQLite file is kept.</summary>
public sealed record SqliteOutboxOptions
{
    /// <summary>
    /// The page size of a new file, in bytes. Default 1 KiB: a commit touches about seven pages whatever their size,
    /// and pages of 4 KiB made it write twice as much to the flash (docs/benchmarks/agent.md).
    /// </summary>
    public int PageBytes { get; init; } = 1024;

    /// <summary>
    /// The write-ahead log's usual size, in bytes; there it is written back. Default 4 MiB: more would save writes of
    /// pages that change often, and cost space and time at the next start. Taken from the disk at the first start.
    /// </summary>
    public long WalBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// What the file holds in reserve for seals and frees on a full disk, in bytes. Default 512 KiB: a frame of 1,024
    /// readings of any kind, with all that it replaces. 0: nothing is reserved, the log neither.
    /// </summary>
    public int ReserveBytes { get; init; } = 512 * 1024;

    /// <summary>The page cache, in bytes. At it pages are read again.</summary>
    public int CacheBytesMax { get; init; } = 2 * 1024 * 1024;

    /// <summary>
    /// Reads the whole file's structure when it is opened (quick_check), about a second per 100 MB. A file that fails
    /// is refused.
    /// </summary>
    public bool CheckAtOpen { get; init; } = true;

    /// <summary>What fits a quota: the log and the reserve count against it, so a small quota has small ones.</summary>
    public static SqliteOutboxOptions For(long quotaBytes) => new()
    {
        WalBytes = Math.Clamp(quotaBytes / 16, 256 * 1024, 4 * 1024 * 1024),
        ReserveBytes = (int)Math.Clamp(quotaBytes / 64, 128 * 1024, 512 * 1024),
    };

    /// <summary>
    /// For tests alone: called with each statement's text before it runs; a <c>SqliteException</c> that it throws is
    /// taken for the statement's own.
    /// </summary>
    internal Action<string>? BeforeStatement { get; init; }
}
