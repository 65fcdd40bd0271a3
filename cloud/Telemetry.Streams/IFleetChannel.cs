namespace Telemetry.Streams;

/// <summary>
/// The messages for people who watch the fleet: who is connected, and what commits changed. They are not stored, and
/// nothing that settles readings depends on them: a lost message is made up for by a later one, or by reading the
/// database. Errors are <see cref="FrameLogException"/>.
/// </summary>
public interface IFleetChannel
{
    /// <summary>Sends a <see cref="Fleet.PresenceReport"/>; if nobody listens, nothing happens.</summary>
    ValueTask ReportPresenceAsync(ReadOnlyMemory<byte> report, CancellationToken cancellationToken);

    /// <summary>
    /// Receives the reports of all ingresses until disposed. With <paramref name="shared"/>, each report reaches one of
    /// those who share. The handler must copy what it keeps, and must not wait.
    /// </summary>
    ValueTask<IAsyncDisposable> ListenPresenceAsync(
        bool shared, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);

    /// <summary>Sends what a commit changed in a partition; if nobody listens, nothing happens.</summary>
    ValueTask PublishChangesAsync(int partition, ReadOnlyMemory<byte> changes, CancellationToken cancellationToken);

    /// <summary>
    /// Receives the <see cref="Fleet.PartitionChanges"/> of all partitions until disposed. The handler must copy what
    /// it keeps, and must not wait.
    /// </summary>
    ValueTask<IAsyncDisposable> ListenChangesAsync(
        Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);
}
