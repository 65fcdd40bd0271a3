using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// The alert outbox and the history held against the readings: whatever transactions failed, were repeated or put back,
/// and in whatever order readings came, the outbox is densely numbered and chained, has each transition once, and says
/// last of each instance what the history has; and the history is what the readings make in the order of event time.
/// </summary>
internal static class AlertBooks
{
    public static IEnumerable<string> Check(SimulatedWorld world)
    {
        var database = world.Store.Content;
        var transitions = new List<AlertTransition>();
        foreach (var partition in database.Partitions.Values)
        {
            var head = AlertHead.None;
            foreach (var row in database.AlertOutbox.Values.Where(r => r.Partition == partition.Row.Partition))
            {
                head = head.Next(row.Json.Span);
                var transition = AlertTransition.FromJson(row.Json.Span);
                transitions.Add(transition);
                if (row.Head != head || row.Id != transition.Id)
                {
                    yield return
                        $"alert {row.Head} of partition {row.Partition} does not follow: {head} is next, id {row.Id}";
                }
            }

            if (head != partition.Row.Alerts)
            {
                yield return $"partition {partition.Row.Partition} says that its alerts end at {partition.Row.Alerts}, "
                    + $"they do at {head}";
            }
        }

        if (transitions.GroupBy(t => t.Id).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            yield return $"alert {twice.Key} stands in the outbox {twice.Count()} times";
        }

        foreach (var problem in Frames(database, transitions)
            .Concat(LastSaid(database, transitions)).Concat(Expected(database)))
        {
            yield return problem;
        }
    }

    /// <summary>The states that must be evaluated again now: the watermark has passed their gap.</summary>
    public static IEnumerable<AlertStateRow> DueGaps(SimulatedDatabase database) => database.AlertStates.Values.Where(
        s => s.Gap is { } gap && database.Gateways.GetValueOrDefault(s.Id.Gateway)?.Watermark > gap.ToMicros);

    private static IEnumerable<string> Frames(SimulatedDatabase database, List<AlertTransition> transitions)
    {
        var traces = SimulatedDatabase.All(database.Frames).ToLookup(
            f => $"{f.Gateway}/{f.Key}", f => FrameTrace.Of(f.Gateway, f.Key).TraceParent);
        return transitions
            .Where(t => t.Frame.Length > 0 ? !traces[t.Frame].Contains(t.TraceParent) : !t.Late)
            .Select(t => $"alert {t.Id} names frame {t.Frame}, which is not stored, or has another trace");
    }

    private static IEnumerable<string> LastSaid(SimulatedDatabase database, List<AlertTransition> transitions)
    {
        var said = transitions.GroupBy(t => t.Instance).ToDictionary(g => g.Key, g => g.Last());
        foreach (var row in database.Alerts.Values)
        {
            if (!said.Remove($"{row.Id:x32}", out var last)
                || Content(last) != (row.State, row.BeganMicros, Ended(row)))
            {
                yield return $"the history has {row}, said last is {last}";
            }
        }

        foreach (var transition in said.Values)
        {
            yield return $"the history lacks {transition}";
        }

        static long? Ended(AlertRow row) => row.State == AlertInstanceState.Retracted ? null : row.EndedMicros;
    }

    private static (AlertInstanceState, long, long?) Content(AlertTransition last) => last.Kind switch
    {
        AlertKind.Firing => (AlertInstanceState.Firing, last.StartedMicros, null),
        AlertKind.Resolved => (AlertInstanceState.Resolved, last.StartedMicros, last.TimeMicros),
        AlertKind.Retracted => (AlertInstanceState.Retracted, last.StartedMicros, null),
        _ => (
            last.EndedMicros is null ? AlertInstanceState.Firing : AlertInstanceState.Resolved, last.StartedMicros,
            last.EndedMicros),
    };

    private static IEnumerable<string> Expected(SimulatedDatabase database)
    {
        var stored = SimulatedDatabase.All(database.Readings).ToLookup(r => r.Series);
        var history = database.Alerts.Values.Where(a => a.State != AlertInstanceState.Retracted).ToLookup(a => a.Of);
        foreach (var due in DueGaps(database))
        {
            yield return $"the watermark has passed the gap of {due}";
        }

        foreach (var ((gateway, _), message) in database.Schemas)
        {
            foreach (var series in message.Series())
            {
                var identity = SeriesIdentity.Of(gateway, series);
                foreach (var rule in WorldRules.Options.Rules.All.Where(r => r.Match.Fits(gateway, series)))
                {
                    var id = new AlertStateId(gateway, rule.Name, identity);
                    if (database.AlertStates.GetValueOrDefault(id)?.Gap is null
                        && Compare(rule, stored[identity], history[id], database.AlertStates.GetValueOrDefault(id))
                            is { } problem)
                    {
                        yield return $"{gateway} {series.Metric} by rule {rule.Name}: {problem}";
                    }
                }
            }
        }
    }

    private static string? Compare(
        AlertRule rule, IEnumerable<SimulatedReading> readings, IEnumerable<AlertRow> history, AlertStateRow? state)
    {
        var valid = readings.Where(r => (r.Flags & ReadingFlags.Null) == 0
            && (r.Flags & ReadingFlags.QualityMask) != (ReadingFlags)Quality.Bad && !double.IsNaN(Value(r))).ToList();
        if (valid.GroupBy(r => r.Time).Any(g => g.Select(Value).Distinct().Count() > 1))
        {
            // Of several values at one time any one may count.
            return null;
        }

        var (expected, last) = Evaluate(rule, valid.OrderBy(r => r.Time));
        var published = history.OrderBy(a => a.FiredMicros)
            .Select(a => (a.BeganMicros, a.FiredMicros, a.EndedMicros)).ToList();
        var isOpen = expected is [.., { Ended: null }];
        return !expected.SequenceEqual(published)
            ? $"the readings make [{string.Join(' ', expected)}], the history has [{string.Join(' ', published)}]"
            : last != (state?.State.TimeMicros ?? long.MinValue) || isOpen != (state?.State.Phase == AlertPhase.Firing)
                ? $"evaluated to {last}, the state is {state}" : null;
    }

    private static double Value(SimulatedReading reading) =>
        reading.Type == MetricType.Float ? BitConverter.UInt64BitsToDouble(reading.Bits) : reading.Bits;

    /// <summary>The definition of a rule once more, as plainly as it can be said.</summary>
    private static (List<(long Began, long Fired, long? Ended)> Instances, long Last) Evaluate(
        AlertRule rule, IEnumerable<SimulatedReading> readings)
    {
        var instances = new List<(long Began, long Fired, long? Ended)>();
        var last = long.MinValue;
        long? since = null;
        var open = false;
        foreach (var (time, value) in readings.Select(r => (r.Time, Value(r))))
        {
            last = time;
            var above = rule.Side == AlertSide.Above;
            if (open && (above ? value <= rule.Clear : value >= rule.Clear))
            {
                instances[^1] = instances[^1] with { Ended = last };
                (open, since) = (false, null);
            }
            else if (!open)
            {
                since = (above ? value > rule.Threshold : value < rule.Threshold) ? since ?? last : null;
                open = since is { } began && (last - began) * TimeSpan.TicksPerMicrosecond >= rule.For.Ticks;
                if (open)
                {
                    instances.Add((since!.Value, last, null));
                }
            }
        }

        return (instances, last);
    }
}
