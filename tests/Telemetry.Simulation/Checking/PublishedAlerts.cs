using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>What a read_committed consumer of the alerts sees, held against the alert outbox (G7).</summary>
internal static class PublishedAlerts
{
    /// <summary>True when every row of the outbox has left.</summary>
    public static bool AreComplete(SimulatedAlertSink kafka, SimulatedStore store)
    {
        var there = kafka.Committed.Select(r => r.Row.Id).ToHashSet();
        return store.Content.AlertOutbox.Values.All(r => there.Contains(r.Id));
    }

    /// <summary>
    /// Each id at most once; every row of the outbox is there; what is there without a row is listed; order is kept.
    /// </summary>
    public static IEnumerable<string> Check(SimulatedAlertSink kafka, SimulatedStore store)
    {
        var records = kafka.Committed.ToList();
        foreach (var twice in records.GroupBy(r => r.Row.Id).Where(g => g.Count() > 1))
        {
            yield return $"alert {twice.Key} is in Kafka {twice.Count()} times: "
                + string.Join(", ", twice.Select(r => $"{r.Row.Partition}/{r.Row.Head.Number} since {r.SinceMillis}"));
        }

        var ids = records.Select(r => r.Row.Id).ToHashSet();
        var rows = store.Content.AlertOutbox.Values.Select(r => r.Id).ToHashSet();
        var missing = rows.Count(id => !ids.Contains(id));
        if (missing > 0)
        {
            yield return $"{missing} rows of the alert outbox never left";
        }

        var orphans = ids.Except(rows).ToHashSet();
        if (!orphans.SetEquals(store.Content.Relay.Orphans.Keys))
        {
            yield return
                $"{orphans.Count} alerts in Kafka without a row, {store.Content.Relay.Orphans.Count} listed as orphans";
        }

        foreach (var device in records.GroupBy(r => (r.Row.Partition, r.Key)))
        {
            var numbers = device.Where(r => r.SinceMillis == 0).Select(r => r.Row.Head.Number).ToList();
            if (!numbers.SequenceEqual(numbers.Order()))
            {
                yield return $"alerts of {device.Key.Key} in partition {device.Key.Partition} are out of order";
            }
        }
    }
}
