namespace Telemetry.Storage.Alerts;

/// <summary>What the database holds of one partition's outbox.</summary>
/// <param name="First">The number of the oldest row that is still there; 0 when there is none.</param>
/// <param name="Head">The newest row there ever was.</param>
/// <param name="Noted">
/// Rows up to this number were published for sure, as this very database noted after their transaction; it may be
/// behind.
/// </param>
public readonly record struct OutboxExtent(long First, AlertHead Head, long Noted)
{
    /// <summary>Rows up to this number have been removed.</summary>
    public long RemovedThrough => First > 0 ? First - 1 : Head.Number;
}

/// <summary>A row's head, and when it was stored by the database's clock.</summary>
public readonly record struct OutboxStamp(AlertHead Head, DateTimeOffset StoredAt);

/// <summary>
/// The relay's side of the database. Two implementations under one contract test: PostgreSQL, and the simulated one.
/// Errors are <see cref="Storage.StoreException"/>.
/// </summary>
public interface IAlertOutbox
{
    /// <summary>
    /// Takes the lease of a relay by the database's clock, with a new token, where it is free, expired, or was this
    /// owner's. False while another owner holds it.
    /// </summary>
    Task<bool> TakeLeaseAsync(
        string relay, long token, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Renews it; false when the token is not ours any more (another owner, a restored database).</summary>
    Task<bool> RenewLeaseAsync(string relay, long token, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Gives it back, so that the next relay need not wait; nothing happens when the token is another's.
    /// </summary>
    Task ReleaseLeaseAsync(string relay, long token, CancellationToken cancellationToken);

    /// <summary>All partitions, from one snapshot.</summary>
    Task<IReadOnlyDictionary<int, OutboxExtent>> ExtentsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Rows behind a number in the order of numbers: at most so many rows, and no more once they have so many bytes.
    /// </summary>
    Task<IReadOnlyList<AlertOutboxRow>> ReadAsync(
        int partition, long after, int rowsMax, int bytesMax, CancellationToken cancellationToken);

    /// <summary>Those of the rows that are there, by partition and number.</summary>
    Task<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>> StampsAsync(
        IReadOnlyCollection<(int Partition, long Number)> rows, CancellationToken cancellationToken);

    /// <summary>
    /// Lists those of the records whose id no row has as orphans, forgets orphans whose id has a row again, and says
    /// how many of these records are orphans.
    /// </summary>
    Task<int> ListOrphansAsync(IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken);

    /// <summary>
    /// Notes for people and as <see cref="OutboxExtent.Noted"/> how far each partition is published, and forgets
    /// orphans whose id has a row again. A database without that very row (put back since it was read) notes nothing.
    /// </summary>
    Task NoteAsync(IReadOnlyDictionary<int, AlertHead> published, CancellationToken cancellationToken);
}
