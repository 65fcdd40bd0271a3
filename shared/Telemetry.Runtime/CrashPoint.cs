using System.Globalization;

namespace Telemetry.Runtime;

/// <summary>
/// Kills the process at a named point when <c>TELEMETRY_CRASH_AT=point[:nth[:stop]]</c> says so, or with <c>stop</c>
/// freezes it there as a paused container is: the kill tests strike at exact places with it. Costs one comparison when
/// unset.
/// </summary>
public static class CrashPoint
{
    private static readonly string[] Words =
        Environment.GetEnvironmentVariable("TELEMETRY_CRASH_AT")?.Split(':') ?? [];

    private static readonly string? Wanted = Words is [var point, ..] ? point : null;
    private static int _left = Words is [_, var nth, ..]
        ? int.Parse(nth, CultureInfo.InvariantCulture)
        : 1;

    /// <summary>Strikes when this is the nth time at the wanted point.</summary>
    public static void Reach(string point)
    {
        if (Wanted is not null && Wanted == point && Interlocked.Decrement(ref _left) == 0)
        {
            if (Words is [_, _, "stop"])
            {
                // SIGSTOP comes while this waits; after SIGCONT the program goes on as if nothing had been.
                using var stopping = System.Diagnostics.Process.Start(
                    "kill", ["-STOP", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
                stopping.WaitForExit();
                return;
            }

            System.Diagnostics.Process.GetCurrentProcess().Kill();
            new ManualResetEvent(false).WaitOne();
        }
    }
}
