using System.Diagnostics;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A shell that waits for our end, however we end, and then deletes what we left in the temporary folder. It hears
/// of it by the pipe to its input, which the kernel closes when we die. It does not end on the signals of a Ctrl-C.
/// </summary>
internal static class Reaper
{
    // Servers die with us, but maybe not before the first attempt. Theirs is line 7 of postmaster.pid: see
    // SharedMemory.
    private const string Script = """
        trap '' INT TERM HUP
        read -r _
        for lock in "$1"*/data/postmaster.pid; do
          [ ! -f "$lock" ] || ipcrm -m $(sed -n '7s/.* //p' "$lock")
        done
        for attempt in 1 2 3 4 5 6 7 8 9 10; do
          rm -rf -- "$1"* && break
          sleep 0.2
        done
        """;

    /// <summary>Starts one for all paths that begin so; closing its input sets it to work.</summary>
    public static Process Start(string pathPrefix) => Process.Start(
        new ProcessStartInfo("/bin/sh", ["-c", Script, "reaper", pathPrefix])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
