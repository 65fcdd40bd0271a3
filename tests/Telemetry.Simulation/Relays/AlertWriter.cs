using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Relays;

/// <summary>
/// Plays the processor for a world of relays: appends transitions, and what a database that was put back lacks again:
/// most alike, some never, with new ones between.
/// </summary>
internal sealed class AlertWriter(SimulatedStore store, Random random, int partitions)
{
    private readonly List<AlertTransition>[] _again =
        [.. Enumerable.Range(0, partitions).Select(_ => new List<AlertTransition>())];
    private long _made;

    /// <summary>Transitions of before a put-back that are still to be written again.</summary>
    public bool IsBehind => _again.Any(a => a.Count > 0);

    /// <summary>Appends a few transitions to one partition.</summary>
    public void Write(bool newOnes)
    {
        var partition = random.Next(partitions);
        var head = store.Content.Partitions.TryGetValue(partition, out var held) ? held.Row.Alerts : AlertHead.None;
        var rows = new List<AlertOutboxRow>();
        for (var count = random.Next(1, 6); rows.Count < count; head = rows[^1].Head)
        {
            var again = _again[partition];
            if (again.Count > 0 && (!newOnes || random.Next(10) > 0))
            {
                rows.Add(AlertSamples.Row(partition, head, again[0]));
                again.RemoveAt(0);
            }
            else if (newOnes)
            {
                rows.Add(AlertSamples.Row(partition, head, AlertSamples.Transition(partition, ++_made)));
            }
            else
            {
                break;
            }
        }

        store.Content = store.Content.WithAlerts(rows, store.Calls.Time.GetUtcNow());
    }

    /// <summary>Puts the database back to an earlier content.</summary>
    public void PutBack(SimulatedDatabase earlier)
    {
        var lost = store.Content.AlertOutbox.Values
            .Where(
                r =>
                    !earlier.AlertOutbox.TryGetValue((r.Partition, r.Head.Number), out var kept) || kept.Head != r.Head)
            .ToList();
        var there = earlier.AlertOutbox.Values.Select(r => r.Id).ToHashSet();
        for (var partition = 0; partition < partitions; partition++)
        {
            // In the order of the log, which they come from: what was lost just now, and what was lost before and not
            // yet again.
            var all = lost.Where(r => r.Partition == partition).Select(r => AlertTransition.FromJson(r.Json.Span))
                .Concat(_again[partition]).Where(t => !there.Contains(t.Id)).DistinctBy(t => t.Id).ToList();
            _again[partition].Clear();
            _again[partition].AddRange(all.Where(_ => random.Next(10) > 0));
        }

        store.Content = earlier;
    }
}
