namespace Telemetry.Benchmarks;

/// <summary>
/// What a benchmark may leave on the disk. What was stored is removed step by step; a step takes a few gigabytes, its
/// write-ahead log and the streams included. Without so much room a benchmark does not begin it.
/// </summary>
internal static class DiskSpace
{
    private const long FreeMin = 20L * 1024 * 1024 * 1024;

    /// <summary>
    /// Throws <see cref="IOException"/> when the disk of a folder has less room than a step may take.
    /// </summary>
    public static void Require(string folder)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < FreeMin)
        {
            throw new IOException(
                $"{folder} has {free >> 30} GiB left, a step of a benchmark may take {FreeMin >> 30} GiB: make room, "
                + "or name another folder in TMPDIR");
        }
    }
}
