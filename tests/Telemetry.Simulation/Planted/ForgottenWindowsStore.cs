using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// Planted bug: the gateway's row does not say which windows have parts in memory alone, so nobody folds them anew when
/// their owner dies.
/// </summary>
internal sealed class ForgottenWindowsStore(SimulatedStore store) : AlteredStore(store)
{
    public override async Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<Model.Identity.GatewayId> gateways, CancellationToken cancellationToken) =>
        [
            .. (await base.LoadGatewaysAsync(gateways, cancellationToken)).Select(r => r with
            {
                Gateway = r.Gateway is { } row ? row with { OpenWindows = OpenSpan.None } : null,
            }),
        ];

    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) =>
        Inner.CommitAsync(commit, cancellationToken);
}
