using System.Globalization;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks;

/// <summary>
/// CPU time that processes have taken, in the kernel and out of it (proc(5): stat, fields 14 and 15; of children that
/// have ended, 16 and 17).
/// </summary>
internal static class CpuTime
{
    private const int TicksPerSecond = 100, UserField = 11;

    /// <summary>Of one process with all its threads.</summary>
    public static TimeSpan Of(int process) => Read(process, UserField);

    /// <summary>Of a process and of all that it started, whether they still run or not.</summary>
    public static TimeSpan OfAllTime(int process) => OfFamily(process) + Read(process, UserField + 2);

    private static TimeSpan Read(int process, int field)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((Ticks(fields[field]) + Ticks(fields[field + 1])) / (double)TicksPerSecond);
        }
        catch (IOException)
        {
            return default; // It has ended.
        }
    }

    /// <summary>Of a process and of all that it started and that still run.</summary>
    public static TimeSpan OfFamily(int process) =>
        ProcessTree.DescendantsOf(process).Aggregate(Of(process), (sum, child) => sum + Of(child.Id));

    private static long Ticks(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
