using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: a commit is called durable while it is on its way to the disk.</summary>
internal sealed class AcknowledgingFile(IOutboxFile file) : IOutboxFile
{
    private Task _underWay = Task.CompletedTask;

    public OutboxSpace Space => file.Space;

    public ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        file.LoadAsync(gateway, cancellationToken);

    public async ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken)
    {
        await _underWay;
        _underWay = file.CommitAsync(commit, cancellationToken).AsTask();
    }

    public ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken) =>
        file.ReadFrameAsync(frame, cancellationToken);

    public ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken) =>
        file.ReadSegmentAsync(segment, cancellationToken);

    public ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken) =>
        file.ReadQuarantineAsync(cancellationToken);

    public ValueTask DisposeAsync() => file.DisposeAsync();
}
