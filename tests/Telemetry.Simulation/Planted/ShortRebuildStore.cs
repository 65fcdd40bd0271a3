using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: the last reading of each gateway's open windows is not read back.</summary>
internal sealed class ShortRebuildStore(SimulatedStore store) : AlteredStore(store)
{
    public override Task<OpenReadingCounts> ReadReadingsAsync(
        IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways, Func<GatewayId, int, SeriesEntry?> series,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken)
    {
        var last = SimulatedDatabase.All(Inner.Content.Readings).OrderBy(r => r.Time).LastOrDefault();
        var number = last is null ? 0 : Inner.Content.Series[last.Series].Series;
        var left = 1;
        return base.ReadReadingsAsync(
            gateways, (gateway, n) => n == number && left-- > 0 ? null : series(gateway, n), rows, readingsMax,
            cancellationToken);
    }

    public override Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) =>
        Inner.CommitAsync(commit, cancellationToken);
}
