using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: an owner that stops in order says that no part is in its memory alone any more, and does not write the
/// parts of the open windows.
/// </summary>
internal sealed class EmptyHandoverStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        // Only a hand-over writes parts of windows that the watermark has not passed, with no readings.
        if (commit.Readings.Count == 0 && commit.Gateways.TrueForAll(g => g.OpenWindows.IsEmpty))
        {
            var watermarks = commit.Gateways.ToDictionary(g => g.Gateway, g => g.Watermark);
            commit.Parts.RemoveAll(
                part => watermarks.TryGetValue(part.Series.Gateway, out var watermark) && part.End > watermark);
        }

        return Inner.CommitAsync(commit, cancellationToken);
    }
}
