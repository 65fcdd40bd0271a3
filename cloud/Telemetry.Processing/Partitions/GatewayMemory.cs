using Telemetry.Processing.Alerts.Corrections;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Ledger;
using Telemetry.Processing.Windows;
using Telemetry.Storage;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// The owner's memory of one gateway: its ledger, the state of its alert rules, its open windows. The compare-and-set
/// of each transaction proves that nobody else wrote, so the rows are written without being read again; when the
/// compare-and-set fails, all of this memory is discarded.
/// </summary>
internal sealed class GatewayMemory(GatewayRecord record, int partition, GatewayWindows windows)
{
    public GatewayLedger Ledger { get; } = new(record, partition);

    /// <summary>
    /// The state of the alert rules on its series. Only a frame, which touches the ledger, and a run over stored
    /// readings change it.
    /// </summary>
    public GatewayAlerts Alerts { get; } = new(record);

    /// <summary>The run of alert rules over stored readings that is under way; it outlasts transactions.</summary>
    public GatewayRun? AlertRun { get; set; }

    /// <summary>The parts of its windows that are in memory alone; they outlast this object.</summary>
    public GatewayWindows Windows { get; } = windows;

    /// <summary>
    /// Moves the watermark as far as possible. It stands still while the parts of open windows are not in memory again:
    /// they would be missing from the windows that it passes.
    /// </summary>
    public void AdvanceWatermark()
    {
        if (Windows.IsWhole)
        {
            Ledger.AdvanceWatermark();
        }
    }

    /// <summary>Adds all rows that changed since the last call to a commit.</summary>
    public void WriteChanges(StoreCommit commit)
    {
        Ledger.WriteChanges(commit);
        Alerts.WriteChanges(commit);
    }
}
