using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an error at the disk's commit is swallowed.</summary>
internal sealed class SwallowingFile(IOutboxFile file) : IOutboxFile
{
    public OutboxSpace Space => file.Space;

    public ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        file.LoadAsync(gateway, cancellationToken);

    public async ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken)
    {
        try
        {
            await file.CommitAsync(commit, cancellationToken);
        }
        catch (OutboxException e) when (e.IsUndone)
        {
            // The bug.
        }
    }

    public ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken) =>
        file.ReadFrameAsync(frame, cancellationToken);

    public ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken) =>
        file.ReadSegmentAsync(segment, cancellationToken);

    public ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken) =>
        file.ReadQuarantineAsync(cancellationToken);

    public ValueTask DisposeAsync() => file.DisposeAsync();
}
