using Telemetry.Cloud.Storage;
using Telemetry.Model.Readings;

namespace Telemetry.Testing.Simulated;

/// <summary>Copies of commits, for whoever keeps one longer than the call.</summary>
internal static class StoreCommitCopy
{
    /// <summary>The same rows in buffers of its own; bytes of dead letters included.</summary>
    public static StoreCommit Copy(this StoreCommit commit)
    {
        var copy = new StoreCommit();
        copy.Partitions.AddRange(commit.Partitions);
        copy.Schemas.AddRange(commit.Schemas);
        copy.Gateways.AddRange(commit.Gateways);
        copy.Outboxes.AddRange(commit.Outboxes);
        copy.Epochs.AddRange(commit.Epochs);
        copy.Lanes.AddRange(commit.Lanes);
        copy.RemovedRuns.AddRange(commit.RemovedRuns);
        copy.Runs.AddRange(commit.Runs);
        copy.Frames.AddRange(commit.Frames);
        copy.Drops.AddRange(commit.Drops);
        copy.DeadLetters.AddRange(commit.DeadLetters.Select(d => d with { Bytes = d.Bytes.ToArray() }));
        copy.Waiting.AddRange(commit.Waiting.Select(r => r with { Bytes = r.Bytes.ToArray() }));
        copy.RemovedWaiting.AddRange(commit.RemovedWaiting);
        copy.RemovedAlertStates.AddRange(commit.RemovedAlertStates);
        copy.AlertStates.AddRange(commit.AlertStates);
        copy.AlertOutbox.AddRange(commit.AlertOutbox.Select(r => r with { Json = r.Json.ToArray() }));
        copy.RemovedLanes.AddRange(commit.RemovedLanes);
        copy.Readings.AddAll(commit.Readings);
        return copy;
    }

    /// <summary>Adds every row of another.</summary>
    public static void AddAll(this ReadingRows to, ReadingRows from)
    {
        for (var row = 0; row < from.Count; row++)
        {
            to.AddRow(from, row);
        }
    }

    /// <summary>Adds one row of another.</summary>
    public static void AddRow(this ReadingRows to, ReadingRows from, int row)
    {
        if (from.Types[row] == MetricType.Text && (from.Flags[row] & ReadingFlags.Null) == 0)
        {
            to.AddText(
                from.Devices[row], from.Series[row], from.Times[row], from.Flags[row], from.Text(from.Bits[row]));
        }
        else
        {
            to.Add(
                from.Devices[row], from.Series[row], from.Types[row], from.Times[row], from.Flags[row], from.Bits[row],
                from.Decimals[row]);
        }
    }
}
