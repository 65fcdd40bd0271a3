using System.Globalization;

namespace Telemetry.Integration.Processing;

/// <summary>What was measured while one attack ran.</summary>
/// <param name="Name">The attack.</param>
/// <param name="From">When it began.</param>
/// <param name="To">When all that it sent was processed.</param>
/// <param name="Before">Memory and processor time of the cloud's process before it.</param>
/// <param name="After">The same after it.</param>
/// <param name="Rows">How many rows each table has more (or fewer).</param>
internal sealed record AttackPhase(
    string Name, DateTime From, DateTime To, ProcessCost Before, ProcessCost After,
    IReadOnlyDictionary<string, long> Rows)
{
    /// <summary>How much memory it added, MiB.</summary>
    public long GrownMiB => After.ResidentMiB - Before.ResidentMiB;

    /// <summary>A line for people: what honest readings of this phase met, and what the attack cost.</summary>
    public string Describe(IReadOnlyList<TimeSpan> beside, IReadOnlyList<TimeSpan> elsewhere)
    {
        var rows = string.Join(", ", Rows.Where(r => r.Value != 0).Select(r => $"{r.Key} {r.Value:+0;-0}"));
        var cpu = After.Processor - Before.Processor;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {Name}: {(To - From).TotalSeconds:0.0} s
              in its partition: {Delays(beside)}
              in the other one: {Delays(elsewhere)}
              resident {Before.ResidentMiB} -> {After.ResidentMiB} MiB, peak {After.PeakMiB}
              {cpu.TotalSeconds:0.0} s of CPU; rows: {rows}
            """);
    }

    private static string Delays(IReadOnlyList<TimeSpan> sorted) => string.Create(
        CultureInfo.InvariantCulture,
        $"{sorted.Count} readings, p50 {Percent(sorted, 50)}, p99 {Percent(sorted, 99)}, "
        + $"max {Percent(sorted, 100)} ms");

    private static double Percent(IReadOnlyList<TimeSpan> sorted, int percent) => sorted.Count == 0
        ? double.NaN
        : Math.Round(sorted[Math.Min(sorted.Count - 1, sorted.Count * percent / 100)].TotalMilliseconds);
}

/// <summary>What a process has cost, as the kernel says it.</summary>
internal sealed record ProcessCost(long ResidentMiB, long PeakMiB, TimeSpan Processor)
{
    private const int UserTimeField = 11, TicksPerSecond = 100;

    /// <summary>Reads it, and begins the peak anew.</summary>
    public static ProcessCost Of(int process)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        var status = File.ReadAllLines($"{folder}/status");
        var stat = File.ReadAllText($"{folder}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = fields[UserTimeField..(UserTimeField + 2)].Sum(f => long.Parse(f, CultureInfo.InvariantCulture));
        File.WriteAllText($"{folder}/clear_refs", "5");
        return new(
            MiB(status, "VmRSS:"), MiB(status, "VmHWM:"), TimeSpan.FromSeconds((double)ticks / TicksPerSecond));
    }

    private static long MiB(string[] status, string name) => long.Parse(
        status.Single(line => line.StartsWith(name, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].Trim(),
        CultureInfo.InvariantCulture) / 1024;
}
