using System.Globalization;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Processing.Alerts.Rules.Measures;
using Telemetry.Storage.Alerts;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Alerts.Corrections;

/// <summary>
/// In whatever order readings arrive, the history becomes that of a run in the order of event time, and nobody is paged
/// for old news (G7, G8). TELEMETRY_TEST_ALERT_SEEDS=FIRST-LAST runs others than the usual ones.
/// </summary>
public sealed class ArrivalOrderTests
{
    [Fact]
    public void History_is_that_of_a_run_in_order_whatever_the_order_of_arrival()
    {
        var (first, last) = Seeds();
        var (runs, revised, retracted, late) = (0, 0, 0, 0);
        for (var seed = first; seed <= last; seed++)
        {
            var (schedule, run) = Run(seed);
            var problem = Problem(schedule, run);
            Assert.True(
                problem is null,
                $"seed {seed} ({schedule.Kind}, {schedule.Measure}, for {schedule.For}): {problem}\n"
                + string.Join('\n', run.Story));
            runs += run.Runs;
            revised += run.Published.Count(p => p.Transition.Kind == AlertKind.Revised);
            retracted += run.Published.Count(p => p.Transition.Kind == AlertKind.Retracted);
            late += run.Published.Count(p => p.Transition is { Kind: AlertKind.Firing, Frame: "" });
        }

        var seeds = last - first + 1;
        // The schedules do what they are for.
        Assert.True(
            runs > seeds / 2 && revised > seeds / 10 && retracted > seeds / 50 && late > seeds / 2,
            $"{seeds} seeds: {runs} runs, {revised} revised, {retracted} retracted, {late} late");
    }

    private static (int First, int Last) Seeds()
    {
        var given = Environment.GetEnvironmentVariable("TELEMETRY_TEST_ALERT_SEEDS")?.Split('-');
        return given is null ? (1, 3_000)
            : (int.Parse(given[0], CultureInfo.InvariantCulture), int.Parse(given[^1], CultureInfo.InvariantCulture));
    }

    private static (ArrivalSchedule Schedule, ScheduleRun Run) Run(int seed)
    {
        var schedule = new ArrivalSchedule(seed);
        var run = new ScheduleRun(Rule(schedule), seed);
        run.Take(schedule.Frames());
        return (schedule, run);
    }

    private static AlertRule Rule(ArrivalSchedule schedule) => (schedule.Measure switch
    {
        0 => SampleRules.Hot() with { Measure = new RateMeasure(TimeSpan.FromSeconds(10)), Threshold = 4, Clear = 1 },
        1 => SampleRules.Hot() with { Measure = new StuckMeasure(TimeSpan.FromSeconds(30)), Threshold = 30, Clear = 0 },
        _ => SampleRules.Hot(),
    }) with
    {
        For = TimeSpan.FromMicroseconds(schedule.For),
        Late = TimeSpan.FromMinutes(5),
    };

    private static string? Problem(ArrivalSchedule schedule, ScheduleRun run)
    {
        var expected = InOrder(schedule, out var state);
        var found = run.History.Values.Where(a => a.State != AlertInstanceState.Retracted)
            .OrderBy(a => a.FiredMicros).ToList();
        var (wanted, had) = (expected.Select(Interval).ToArray(), found.Select(Interval).ToArray());
        if (!wanted.SequenceEqual(had))
        {
            return $"in order {string.Join(' ', wanted)}, the history has {string.Join(' ', had)}";
        }

        if (run.State!.State with { Instance = 0 } != state.Plain() with { Instance = 0 } || run.State.Gap is not null)
        {
            return $"in order {state}, the state is {run.State}";
        }

        var open = found.Find(a => a.State == AlertInstanceState.Firing);
        if ((open?.Id ?? 0) != run.State.State.Instance)
        {
            return $"{open} is open, the state is {run.State}";
        }

        return Ids(expected, found, run) ?? Published(run);
    }

    // What was never corrected has the id that it has in order, unless an instance that was revised has it.
    private static string? Ids(List<AlertRow> expected, List<AlertRow> found, ScheduleRun run)
    {
        var wrong = expected.Zip(found).Where(p => p.Second.Revision == 0 && p.First.Id != p.Second.Id
            && !run.History.ContainsKey(p.First.Id)).ToList();
        if (wrong.Count > 0)
        {
            return $"{wrong[0].Second} has another id than in order: {wrong[0].First}";
        }

        var twice = run.Published.GroupBy(p => p.Transition.Id).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? null : $"published twice: {string.Join(' ', twice.Select(t => t.Transition))}";
    }

    private static string? Published(ScheduleRun run)
    {
        foreach (var (transition, at) in run.Published)
        {
            if (!transition.Late && (transition.Frame == "" || at - transition.TimeMicros > 5 * ArrivalSchedule.Minute))
            {
                return $"pages for old news: {transition}";
            }
        }

        foreach (var instance in run.Published.GroupBy(p => p.Transition.Instance))
        {
            var row = run.History[UInt128.Parse(instance.Key, NumberStyles.HexNumber)];
            var last = instance.Last().Transition;
            var said = last.Kind switch
            {
                AlertKind.Firing => (AlertInstanceState.Firing, last.StartedMicros, (long?)null),
                AlertKind.Resolved => (AlertInstanceState.Resolved, last.StartedMicros, last.TimeMicros),
                AlertKind.Revised => (
                    last.EndedMicros is null ? AlertInstanceState.Firing : AlertInstanceState.Resolved,
                    last.StartedMicros, last.EndedMicros),
                _ => (AlertInstanceState.Retracted, last.StartedMicros, last.EndedMicros),
            };
            if (said != (row.State, row.BeganMicros, row.EndedMicros))
            {
                return $"said last {last}, the history has {row}";
            }
        }

        return null;
    }

    // The peak of an open instance stands in the state.
    private static (long, long, long?, double) Interval(AlertRow row) =>
        (row.BeganMicros, row.FiredMicros, row.EndedMicros, row.EndedMicros is null ? 0 : row.Peak);

    private static List<AlertRow> InOrder(ArrivalSchedule schedule, out RuleState state)
    {
        var watch = new AlertWatch(
            Rule(schedule), new AlertStateId(Samples.Gateway, "hot", Samples.Series().Entries[0].Identity));
        var rows = new List<AlertRow>();
        foreach (var reading in schedule.Readings)
        {
            var change = watch.Take(reading.Time, reading.Value);
            var row = new AlertRow(
                watch.Instance, watch.Id, 0, "", AlertInstanceState.Firing, watch.StartedMicros,
                watch.State.FiredMicros, change == AlertChange.Resolved ? watch.TimeMicros : null, watch.State.Peak);
            switch (change)
            {
                case AlertChange.Fired:
                    rows.Add(row);
                    break;
                case AlertChange.Resolved:
                    rows[^1] = row;
                    break;
                case AlertChange.None when watch.State.Phase == AlertPhase.Firing:
                    rows[^1] = rows[^1] with { Peak = watch.State.Peak };
                    break;
            }
        }

        state = watch.State;
        return rows;
    }
}
