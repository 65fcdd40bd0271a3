namespace Telemetry.Storage.Alerts;

/// <summary>The database's content of one partition's alert outbox.</summary>
/// <param name="First">The number of the oldest existing row; 0 when there is none.</param>
/// <param name="Head">The newest row that ever existed.</param>
/// <param name="Noted">
/// Rows up to this number were certainly published, as this very database recorded after their transaction; it may lag.
/// </param>
public readonly record struct OutboxExtent(long First, AlertHead Head, long Noted)
{
    /// <summary>Rows up to this number have been removed.</summary>
    public long RemovedThrough => First > 0 ? First - 1 : Head.Number;
}

/// <summary>A row's head, and when it was stored by the database's clock.</summary>
public readonly record struct OutboxStamp(AlertHead Head, DateTimeOffset StoredAt);

/// <summary>
/// The relay's side of the database. There are two implementations under one contract test: PostgreSQL, and the
/// simulated one. Errors are <see cref="Storage.StoreException"/>.
/// </summary>
public interface IAlertOutbox
{
    /// <summary>
    /// Takes the lease of a relay by the database's clock, with a new token, if it is free, has run out, or was this
    /// owner's. Returns false while another owner holds it.
    /// </summary>
    Task<bool> TakeLeaseAsync(
        string relay, long token, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Renews the lease; false when the token is no longer ours (another owner, a restored database).
    /// </summary>
    Task<bool> RenewLeaseAsync(string relay, long token, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the lease back, so that the next relay need not wait. Does nothing when the token is another owner's.
    /// </summary>
    Task ReleaseLeaseAsync(string relay, long token, CancellationToken cancellationToken);

    /// <summary>The content of all partitions' outboxes, from one snapshot.</summary>
    Task<IReadOnlyDictionary<int, OutboxExtent>> ExtentsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Rows after a number, in order: at most the given number of rows, and no further row once they exceed the given
    /// bytes.
    /// </summary>
    Task<IReadOnlyList<AlertOutboxRow>> ReadAsync(
        int partition, long after, int rowsMax, int bytesMax, CancellationToken cancellationToken);

    /// <summary>The sites of those of the devices that have one, from their metadata.</summary>
    Task<IReadOnlyDictionary<(string Gateway, string Device), string>> SitesAsync(
        IReadOnlyCollection<(string Gateway, string Device)> devices, CancellationToken cancellationToken);

    /// <summary>The rows among these that exist, by partition and number.</summary>
    Task<IReadOnlyDictionary<(int Partition, long Number), OutboxStamp>> StampsAsync(
        IReadOnlyCollection<(int Partition, long Number)> rows, CancellationToken cancellationToken);

    /// <summary>
    /// Lists the records whose id has no row as orphans, removes orphans whose id has a row again, and returns how many
    /// of these records are orphans.
    /// </summary>
    Task<int> ListOrphansAsync(IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken);

    /// <summary>
    /// Records how far each partition is published, for people and as <see cref="OutboxExtent.Noted"/>, and removes
    /// orphans whose id has a row again. A database without that very row (restored since it was read) records nothing.
    /// </summary>
    Task NoteAsync(IReadOnlyDictionary<int, AlertHead> published, CancellationToken cancellationToken);
}
