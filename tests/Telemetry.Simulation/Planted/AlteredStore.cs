using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Planted;

/// <summary>
/// A database whose commits are done otherwise: the part in which mistakes of committing are planted.
/// </summary>
internal abstract class AlteredStore(SimulatedStore store) : IStore
{
    /// <summary>The database as it is.</summary>
    protected SimulatedStore Inner { get; } = store;

    public virtual IAlertHistory AlertHistory => Inner.AlertHistory;

    public Task<InstallationFacts> InstallAsync(
        InstallationFacts proposed, CancellationToken cancellationToken) =>
        Inner.InstallAsync(proposed, cancellationToken);

    public Task<LeaseLook> LookAtLeasesAsync(LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken) =>
        Inner.LookAtLeasesAsync(beat, lasts, cancellationToken);

    public Task<bool> EndHolderAsync(int partition, LeaseHolder holder, CancellationToken cancellationToken) =>
        Inner.EndHolderAsync(partition, holder, cancellationToken);

    public Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        Inner.TakeLeaseAsync(partition, token, owner, lease, cancellationToken);

    public Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken) =>
        Inner.ReleaseLeaseAsync(partition, token, cancellationToken);

    public virtual Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken) =>
        Inner.LoadGatewaysAsync(gateways, cancellationToken);

    public Task<GatewaySchemaRows> LoadSchemasAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        Inner.LoadSchemasAsync(gateway, cancellationToken);

    public Task<IReadOnlyList<WaitingRow>> LoadWaitingAsync(
        GatewayId gateway, SchemaId needs, CancellationToken cancellationToken) =>
        Inner.LoadWaitingAsync(gateway, needs, cancellationToken);

    public Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken) =>
        Inner.FindRefusedSeriesAsync(series, cancellationToken);

    public Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken) =>
        Inner.FindFramesAsync(gateway, epoch, lane, range, framesMax, cancellationToken);

    public Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges, CancellationToken cancellationToken) =>
        Inner.FindFirstFramesAsync(ranges, cancellationToken);

    public Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(
        ReadingBuffer readings, CancellationToken cancellationToken) =>
        Inner.FindRefusedAsync(readings, cancellationToken);

    public Task<IReadOnlyList<WindowWidth>> ReadWidthsAsync(CancellationToken cancellationToken) =>
        Inner.ReadWidthsAsync(cancellationToken);

    public Task RecordLagAsync(IReadOnlyList<StreamLagRow> rows, CancellationToken cancellationToken) =>
        Inner.RecordLagAsync(rows, cancellationToken);

    public Task<IReadOnlyList<GatewayId>> FindOpenGatewaysAsync(int partition, CancellationToken cancellationToken) =>
        Inner.FindOpenGatewaysAsync(partition, cancellationToken);

    public virtual Task<OpenReadingCounts> ReadReadingsAsync(
        IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways, Func<GatewayId, int, SeriesEntry?> series,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken) =>
        Inner.ReadReadingsAsync(gateways, series, rows, readingsMax, cancellationToken);

    public abstract Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken);
}
