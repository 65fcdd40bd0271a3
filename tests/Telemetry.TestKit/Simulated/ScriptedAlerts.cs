using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Simulated;

/// <summary>Fills the alert outbox without a processor, for tests of the relay.</summary>
public static class ScriptedAlerts
{
    /// <summary>The database with more rows in its alert outbox, and the heads of their partitions raised.</summary>
    public static SimulatedDatabase WithAlerts(
        this SimulatedDatabase database, IEnumerable<AlertOutboxRow> rows, DateTimeOffset now) =>
        rows.Aggregate(database, (content, row) =>
        {
            var held = content.Partitions.GetValueOrDefault(row.Partition) ?? new SimulatedPartition(
                new PartitionRow(
                    row.Partition, 0, 0, StreamPosition.None, StreamPosition.None, AlertHead.None), "", default);
            return content with
            {
                Partitions = content.Partitions.SetItem(
                    row.Partition, held with { Row = held.Row with { Alerts = row.Head } }),
                AlertOutbox = content.AlertOutbox.Add((row.Partition, row.Head.Number), row),
                Relay = content.Relay with
                {
                    StoredAt = content.Relay.StoredAt.SetItem(
                    (row.Partition, row.Head.Number), now)
                },
            };
        });
}
