using Telemetry.Model.Identity;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage;

/// <summary>
/// All rows of one transaction. Reusable: <see cref="Clear"/> keeps the buffers. Runs and alert states are removed
/// first, lanes last; in between, rows replace those of the same key (of equal keys in one commit the last one counts,
/// of an outbox the greatest total). Frames, drops, dead letters and the alert outbox are only added to. A schema that
/// is registered already changes nothing.
/// </summary>
public sealed class StoreCommit
{
    public List<PartitionStep> Partitions { get; } = [];

    /// <summary>
    /// Set by a commit that did not happen: the partitions that its owner no longer owns, or that were busy.
    /// </summary>
    public List<int> NotOwned { get; } = [];

    public List<SchemaLedgerRow> Schemas { get; } = [];
    public List<GatewayRow> Gateways { get; } = [];
    public List<OutboxRow> Outboxes { get; } = [];
    public List<EpochLedgerRow> Epochs { get; } = [];
    public List<LaneLedgerRow> Lanes { get; } = [];
    public List<RunId> RemovedRuns { get; } = [];
    public List<RunRow> Runs { get; } = [];
    public List<FrameRegisterRow> Frames { get; } = [];
    public List<DropLedgerRow> Drops { get; } = [];
    public List<DeadLetterRow> DeadLetters { get; } = [];

    /// <summary>Messages that wait for a schema; a message that exists already is not changed.</summary>
    public List<WaitingRow> Waiting { get; } = [];

    /// <summary>Messages that no longer wait; removed before others are added.</summary>
    public List<WaitingId> RemovedWaiting { get; } = [];

    public List<AlertStateId> RemovedAlertStates { get; } = [];
    public List<AlertStateRow> AlertStates { get; } = [];

    /// <summary>The history: a row replaces that of the same instance, see <see cref="AlertRow"/>.</summary>
    public List<AlertRow> Alerts { get; } = [];

    public List<AlertOutboxRow> AlertOutbox { get; } = [];

    /// <summary>
    /// Epochs that became complete: their lane rows and settled runs are removed, including those of this commit (lost
    /// runs stay).
    /// </summary>
    public List<(GatewayId Gateway, ulong Epoch)> RemovedLanes { get; } = [];

    /// <summary>Parts of windows that are removed, before others are added.</summary>
    public List<PartRemoval> RemovedParts { get; } = [];

    /// <summary>Parts of windows; only added to.</summary>
    public List<WindowPart> Parts { get; } = [];

    /// <summary>Changes of complete windows, whose parts are among <see cref="Parts"/>; only added to.</summary>
    public List<WindowRevisionRow> Revisions { get; } = [];

    /// <summary>The new readings.</summary>
    public ReadingBuffer Readings { get; } = new();

    /// <summary>True when there is no row to write (partitions do not count).</summary>
    public bool IsEmpty =>
        Schemas.Count + Gateways.Count + Outboxes.Count + Epochs.Count + Lanes.Count + RemovedRuns.Count
        + Runs.Count + Frames.Count + Drops.Count + DeadLetters.Count + RemovedAlertStates.Count + AlertStates.Count
        + Alerts.Count + AlertOutbox.Count + RemovedLanes.Count + Waiting.Count + RemovedWaiting.Count
        + RemovedParts.Count + Parts.Count + Revisions.Count + Readings.Count == 0;

    /// <summary>Removes all rows and keeps the buffers.</summary>
    public void Clear()
    {
        Partitions.Clear();
        NotOwned.Clear();
        Schemas.Clear();
        Gateways.Clear();
        Outboxes.Clear();
        Epochs.Clear();
        Lanes.Clear();
        RemovedRuns.Clear();
        Runs.Clear();
        Frames.Clear();
        Drops.Clear();
        DeadLetters.Clear();
        RemovedAlertStates.Clear();
        AlertStates.Clear();
        Alerts.Clear();
        AlertOutbox.Clear();
        RemovedLanes.Clear();
        Waiting.Clear();
        RemovedWaiting.Clear();
        RemovedParts.Clear();
        Parts.Clear();
        Revisions.Clear();
        Readings.Clear();
    }
}
