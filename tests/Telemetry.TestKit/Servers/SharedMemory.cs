using System.Globalization;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// PostgreSQL holds a few bytes of System V shared memory as a lock on its data directory. A server that was
/// killed leaves them to the kernel until it starts again, which never happens to a directory that is deleted.
/// </summary>
internal static class SharedMemory
{
    // Line 7 of postmaster.pid: key and id of the segment.
    private const int SegmentLine = 6;

    public static async Task RemoveLeftoverOf(string dataDirectory)
    {
        var lockFile = Path.Combine(dataDirectory, "postmaster.pid");
        if (!File.Exists(lockFile) || await File.ReadAllLinesAsync(lockFile) is not { Length: > SegmentLine } lines)
        {
            return;
        }

        var words = lines[SegmentLine].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 2 && int.TryParse(words[1], CultureInfo.InvariantCulture, out var segment)
            && Programs.Find("ipcrm") is { } ipcrm && Exists(segment))
        {
            await Spawner.Run(new ServerCommand(ipcrm, "-m", $"{segment}") { Folder = Path.GetTempPath() });
        }
    }

    // Second column: id.
    private static bool Exists(int segment) => File.ReadLines("/proc/sysvipc/shm").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])
        .Contains(segment.ToString(CultureInfo.InvariantCulture));
}
