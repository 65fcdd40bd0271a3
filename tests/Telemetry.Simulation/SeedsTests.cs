using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Telemetry.Simulation.Faults;
using Xunit.Abstractions;

namespace Telemetry.Simulation;

/// <summary>
/// Worlds by seed. <c>TELEMETRY_SIMULATION_FIRST</c> and <c>TELEMETRY_SIMULATION_COUNT</c> choose the seeds (see
/// eng/simulate.sh), <c>TELEMETRY_SIMULATION_REPORT</c> names a file for the counts.
/// </summary>
public sealed class SeedsTests(ITestOutputHelper output)
{
    private const int StruckMin = 100;
    private const int FailuresShown = 3;

    private static readonly int First = Setting("FIRST", 1);
    private static readonly int Count = Setting("COUNT", 300);

    [Fact]
    public void Every_reading_is_accounted_for_in_every_world()
    {
        var watch = Stopwatch.StartNew();
        var results = new ConcurrentBag<SimulationResult>();
        Parallel.For(
            First,
            First + Count,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            seed => results.Add(SimulationRun.Run(seed)));
        var tally = new FaultTally();
        foreach (var result in results)
        {
            tally.Add(result.Tally);
        }

        Report(
            $"{Count} seeds from {First} in {watch.Elapsed.TotalSeconds:F1} s, {results.Sum(r => r.Stored)} readings "
            + $"stored, {results.Sum(r => r.Alerts)} alert transitions, "
            + $"{results.Sum(r => r.Steps)} steps, {results.Sum(r => r.Time.TotalHours):F1} simulated hours\n"
            + $"how often each fault struck:\n{tally}");
        var bad = results.Where(r => !r.IsGood).OrderBy(r => r.Seed).ToArray();
        Assert.True(bad.Length == 0, string.Join('\n', [
            $"{bad.Length} of {Count} seeds fail: {string.Join(' ', bad.Select(r => r.Seed))}",
            .. bad.Select(r => r.ToString()),
            .. bad.Take(FailuresShown).Select(r => $"--- seed {r.Seed}, last lines:\n{r.Story}"),
        ]));
        if (Count >= 300)
        {
            var rare = Enum.GetValues<Fault>().Where(f => tally[f] < StruckMin).ToArray();
            Assert.True(results.Sum(r => r.Alerts) >= Count, "fewer alerts than worlds: the rules show nothing");
            Assert.True(rare.Length == 0, $"struck less than {StruckMin} times: {string.Join(", ", rare)}");
        }
    }

    private void Report(string text)
    {
        output.WriteLine(text);
        if (Environment.GetEnvironmentVariable("TELEMETRY_SIMULATION_REPORT") is { Length: > 0 } path)
        {
            File.WriteAllText(path, text);
        }
    }

    private static int Setting(string name, int ordinary) =>
        int.TryParse(
            Environment.GetEnvironmentVariable($"TELEMETRY_SIMULATION_{name}"), CultureInfo.InvariantCulture,
            out var value)
            ? value
            : ordinary;
}
