using Telemetry.Storage.Alerts;

namespace Telemetry.Storage;

/// <summary>
/// A partition's row: its owner, the number of ledger transactions, the positions in its streams, and the newest row of
/// its alert outbox.
/// </summary>
public sealed record PartitionRow(
    int Partition, ulong Token, long Commits, StreamPosition Live, StreamPosition Backlog, AlertHead Alerts);

/// <summary>
/// What a commit expects of a partition's row, and what it changes in it (commits + 1, lease renewed).
/// </summary>
public sealed record PartitionStep(
    PartitionRow Expected, StreamPosition Live, StreamPosition Backlog, AlertHead Alerts, TimeSpan Lease);
