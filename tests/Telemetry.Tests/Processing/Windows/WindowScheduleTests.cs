using System.Globalization;
using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Processing.Windows;

/// <summary>
/// Random schedules through real processors. TELEMETRY_TEST_WINDOW_SEEDS=FIRST-LAST runs others than the usual ones.
/// </summary>
public sealed class WindowScheduleTests
{
    [Fact]
    public void Windows_equal_a_recomputation_from_the_readings_whatever_the_schedule()
    {
        var (first, last) = Seeds();
        var (revisions, rebuilt, parts, recovered, merged) = (0L, 0L, 0L, 0L, 0L);
        for (var seed = first; seed <= last; seed++)
        {
            var schedule = new WindowSchedule(seed);
            var findings = schedule.Run();
            Assert.True(findings.Count == 0, $"seed {seed}: {string.Join("\n", findings.Take(3))}");
            var seen = schedule.Judge.Seen;
            (revisions, rebuilt) = (revisions + seen.Revisions, rebuilt + seen.Rebuilt);
            (parts, recovered) = (parts + seen.Parts, recovered + seen.Recovered);
            merged += schedule.Merged;
        }

        // The schedules do what they are for.
        var seeds = last - first + 1;
        Assert.True(
            revisions > seeds && rebuilt > seeds / 2 && parts > 20 * seeds && recovered > seeds / 10 && merged > seeds,
            $"{seeds} seeds: {parts} parts, {revisions} revisions, {recovered} recovered, {rebuilt} rebuilt, "
            + $"{merged} merged");
    }

    [Fact]
    public void Missing_and_changed_parts_are_found()
    {
        var schedule = new WindowSchedule(1);
        Assert.Empty(schedule.Run());
        var content = schedule.Content;
        var (key, parts) = content.Parts.First(p => p.Value.Any(q => q.Values > 0));

        Assert.NotEmpty(schedule.Judge.AtTheEnd(content with { Parts = content.Parts.Remove(key) }));
        var changed = new WindowPart().Begin(parts[0]);
        changed.Merge(parts[0]);
        Assert.NotEmpty(schedule.Judge.AtTheEnd(
            content with { Parts = content.Parts.SetItem(key, parts.SetItem(0, changed)) }));
    }

    private static (int First, int Last) Seeds()
    {
        var given = Environment.GetEnvironmentVariable("TELEMETRY_TEST_WINDOW_SEEDS")?.Split('-');
        return given is null ? (1, 300)
            : (int.Parse(given[0], CultureInfo.InvariantCulture), int.Parse(given[^1], CultureInfo.InvariantCulture));
    }
}
