using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: the database does not say that older readings may still come, so nobody runs the alert rules again when
/// their owner dies.
/// </summary>
internal sealed class ForgottenGapsStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        for (var i = 0; i < commit.AlertStates.Count; i++)
        {
            commit.AlertStates[i] = commit.AlertStates[i] with { Gap = null };
        }

        return Inner.CommitAsync(commit, cancellationToken);
    }
}
