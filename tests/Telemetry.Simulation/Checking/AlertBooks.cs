using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// The alert outbox held against the readings: whatever transactions failed, were repeated or put back, it holds
/// exactly what the readings make in the order in which they were stored, once, densely numbered and chained.
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

        foreach (var problem in Frames(database, transitions).Concat(Expected(database, transitions)))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Frames(SimulatedDatabase database, List<AlertTransition> transitions)
    {
        var traces = SimulatedDatabase.All(database.Frames).ToLookup(
            f => $"{f.Gateway}/{f.Key}", f => FrameTrace.Of(f.Gateway, f.Key).TraceParent);
        return transitions
            .Where(t => !traces[t.Frame].Contains(t.TraceParent))
            .Select(t => $"alert {t.Id} names frame {t.Frame}, which is not stored, or has another trace");
    }

    private static IEnumerable<string> Expected(SimulatedDatabase database, List<AlertTransition> transitions)
    {
        var stored = database.Readings.Reverse().SelectMany(rows => rows).ToLookup(r => r.Series);
        var found = transitions.ToLookup(t => (t.Rule, t.SeriesKey));
        var states = database.AlertStates;
        foreach (var ((gateway, _), message) in database.Schemas)
        {
            foreach (var series in message.Series())
            {
                var identity = SeriesIdentity.Of(gateway, series);
                foreach (var rule in WorldRules.Options.Rules.All.Where(r => r.Match.Fits(gateway, series)))
                {
                    var (expected, last) = Evaluate(rule, stored[identity]);
                    var published = found[(rule.Name, $"{identity}")].Select(
                        t => (t.Kind, t.TimeMicros, t.StartedMicros, t.Value));
                    if (!expected.SequenceEqual(published))
                    {
                        yield return $"{gateway} {series.Metric} by rule {rule.Name}: the readings make "
                            + $"[{string.Join(' ', expected)}], the outbox has [{string.Join(' ', published)}]";
                    }

                    var state = states.GetValueOrDefault(new AlertStateId(gateway, rule.Name, identity));
                    var open = expected is [.., { Kind: AlertKind.Firing }];
                    if (last != (state?.TimeMicros ?? long.MinValue) || open != (state?.Phase == AlertPhase.Firing))
                    {
                        yield return
                            $"{gateway} {series.Metric} by rule {rule.Name}: evaluated to {last}, the state is {state}";
                    }
                }
            }
        }
    }

    /// <summary>The definition of a rule once more, as plainly as it can be said.</summary>
    private static (List<(AlertKind Kind, long Time, long Started, double Value)> Transitions, long Last) Evaluate(
        AlertRule rule, IEnumerable<SimulatedReading> readings)
    {
        var transitions = new List<(AlertKind, long, long, double)>();
        var last = long.MinValue;
        long? since = null;
        var open = false;
        foreach (var reading in readings)
        {
            var value = reading.Type == MetricType.Float ? BitConverter.UInt64BitsToDouble(reading.Bits) : reading.Bits;
            if ((reading.Flags & ReadingFlags.Null) != 0
                || (reading.Flags & ReadingFlags.QualityMask) == (ReadingFlags)Quality.Bad
                || double.IsNaN(value) || reading.Time <= last)
            {
                continue;
            }

            last = reading.Time;
            var above = rule.Side == AlertSide.Above;
            if (open && (above ? value <= rule.Clear : value >= rule.Clear))
            {
                transitions.Add((AlertKind.Resolved, last, since!.Value, value));
                (open, since) = (false, null);
            }
            else if (!open)
            {
                since = (above ? value > rule.Threshold : value < rule.Threshold) ? since ?? last : null;
                open = since is { } began && (last - began) * TimeSpan.TicksPerMicrosecond >= rule.For.Ticks;
                if (open)
                {
                    transitions.Add((AlertKind.Firing, last, since!.Value, value));
                }
            }
        }

        return (transitions, last);
    }
}
