using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Simulated;

/// <summary>Copies commits, for code that keeps one longer than the call.</summary>
public static class StoreCommitCopy
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
        copy.RemovedParts.AddRange(commit.RemovedParts);
        var parts = commit.Parts.ToDictionary(p => p, p => new WindowPart().Begin(p));
        copy.Parts.AddRange(commit.Parts.Select(p => parts[p]));
        copy.Revisions.AddRange(commit.Revisions.Select(r => r with { Part = parts[r.Part] }));
        copy.Drops.AddRange(commit.Drops);
        copy.DeadLetters.AddRange(commit.DeadLetters.Select(d => d with { Bytes = d.Bytes.ToArray() }));
        copy.Waiting.AddRange(commit.Waiting.Select(r => r with { Bytes = r.Bytes.ToArray() }));
        copy.RemovedWaiting.AddRange(commit.RemovedWaiting);
        copy.RemovedAlertStates.AddRange(commit.RemovedAlertStates);
        copy.AlertStates.AddRange(commit.AlertStates);
        copy.Alerts.AddRange(commit.Alerts);
        copy.AlertOutbox.AddRange(commit.AlertOutbox.Select(r => r with { Json = r.Json.ToArray() }));
        copy.RemovedLanes.AddRange(commit.RemovedLanes);
        copy.Readings.AddAll(commit.Readings);
        return copy;
    }
}
