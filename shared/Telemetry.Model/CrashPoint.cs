using System.Globalization;

namespace Telemetry.Model;

/// <summary>
/// Kills the process at a named point when <c>TELEMETRY_CRASH_AT=point[:nth]</c> says so: the kill tests pull the plug
/// at exact places with it. Costs one comparison when unset.
/// </summary>
public static class CrashPoint
{
    private static readonly string? Wanted = Environment.GetEnvironmentVariable("TELEMETRY_CRASH_AT")?.Split(':')[0];
    private static int _left = Environment.GetEnvironmentVariable("TELEMETRY_CRASH_AT")?.Split(':') is [_, var nth]
        ? int.Parse(nth, CultureInfo.InvariantCulture)
        : 1;

    /// <summary>SIGKILLs the process when this is the nth time at the wanted point.</summary>
    public static void Reach(string point)
    {
        if (Wanted is not null && Wanted == point && Interlocked.Decrement(ref _left) == 0)
        {
            System.Diagnostics.Process.GetCurrentProcess().Kill();
            new ManualResetEvent(false).WaitOne();
        }
    }
}
