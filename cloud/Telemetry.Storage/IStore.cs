using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage;

/// <summary>
/// The database. There are two implementations under one contract test: PostgreSQL/TimescaleDB, and the simulated one.
/// Errors are <see cref="StoreException"/>.
/// </summary>
public interface IStore
{
    /// <summary>
    /// Returns the installation's facts in this database. If there are none, the proposed facts are written: of several
    /// processes that start at once one writes them, and all get the same.
    /// </summary>
    Task<InstallationFacts> InstallAsync(InstallationFacts proposed, CancellationToken cancellationToken);

    /// <summary>
    /// Reports that a worker is alive for <paramref name="lasts"/> by the database's clock (zero: that it has ended),
    /// and reads the leases. Waits for no other transaction.
    /// </summary>
    Task<LeaseLook> LookAtLeasesAsync(LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the lease of a partition for <paramref name="lease"/> by the database's clock, with a new token, if it is
    /// free, has run out, or was this owner's. Returns null while another owner holds it, and at once while any
    /// transaction holds the partition: it never waits for one.
    /// </summary>
    Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the session of a transaction that holds a partition, which rolls it back. Only if the lease has run out,
    /// the transaction is still the given one, and it waits for its client: a transaction that works is never ended.
    /// Returns false when nothing was ended.
    /// </summary>
    Task<bool> EndHolderAsync(int partition, LeaseHolder holder, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the lease back, so that the next owner need not wait. Does nothing when the token is another owner's, or
    /// while a transaction holds the partition.
    /// </summary>
    Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken);

    /// <summary>
    /// Reads everything in the ledger about these gateways, from one snapshot; a gateway that was never seen has an
    /// empty record.
    /// </summary>
    Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken);

    /// <summary>
    /// Reads everything that a gateway registered, by one query, in however many steps the schemas were added.
    /// </summary>
    Task<GatewaySchemaRows> LoadSchemasAsync(GatewayId gateway, CancellationToken cancellationToken);

    /// <summary>The messages of a gateway that wait for a schema, the oldest first.</summary>
    Task<IReadOnlyList<WaitingRow>> LoadWaitingAsync(
        GatewayId gateway, SchemaId needs, CancellationToken cancellationToken);

    /// <summary>
    /// The first registered frames of a lane that overlap a range, at most the given number, in order.
    /// </summary>
    Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken);

    /// <summary>For each range the first registered frame that overlaps it; null where there is none.</summary>
    Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges, CancellationToken cancellationToken);

    /// <summary>The widths of windows, in the order in which they were added.</summary>
    Task<IReadOnlyList<WindowWidth>> ReadWidthsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The gateways of a partition that have windows whose parts were in their owner's memory alone.
    /// </summary>
    Task<IReadOnlyList<GatewayId>> FindOpenGatewaysAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Adds to <paramref name="rows"/> the stored readings of some gateways with an event time within the span of each,
    /// gateway by gateway, in the order of series and time. <paramref name="series"/> finds a series by its number; a
    /// reading of a series that it does not find is left out. When there are more than <paramref name="readingsMax"/>,
    /// about as many of them are read, any ones.
    /// </summary>
    Task<OpenReadingCounts> ReadReadingsAsync(
        IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways, Func<GatewayId, int, SeriesEntry?> series,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken);

    /// <summary>Reads what is needed to run alert rules again.</summary>
    IAlertHistory AlertHistory { get; }

    /// <summary>Records how far owners are behind their streams; nothing depends on these rows.</summary>
    Task RecordLagAsync(IReadOnlyList<StreamLagRow> rows, CancellationToken cancellationToken);

    /// <summary>
    /// Runs one transaction. First comes the compare-and-set of each partition's row (token, commits, both positions).
    /// If a row differs, or another transaction holds it, everything is rolled back at once and without waiting, and
    /// the partition is listed in <see cref="StoreCommit.NotOwned"/>. Then come all rows of the commit. A commit
    /// without rows renews the leases. The head of the alert outbox is not compared: it only changes when the number of
    /// commits does.
    /// </summary>
    Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken);

    /// <summary>
    /// Finds which of these unregistered series the database refuses because of their data, by their place in the list.
    /// Registers nothing.
    /// </summary>
    Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken);

    /// <summary>
    /// Finds which of these readings the database refuses because of their data (SQLSTATE class 22 or 23). Each is
    /// tried after those before it, in a transaction that is always rolled back. The result is in the order of the
    /// readings, and empty when the database accepts all of them.
    /// </summary>
    Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(ReadingBuffer readings, CancellationToken cancellationToken);
}

/// <summary>A reading that the database refuses.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Error">SQLSTATE and message.</param>
public readonly record struct RefusedReading(int Row, string Error);

/// <summary>A series that the database refuses.</summary>
/// <param name="Index">Its place in the list.</param>
/// <param name="Error">SQLSTATE and message.</param>
public readonly record struct RefusedSeries(int Index, string Error);

/// <summary>The outcome of a commit.</summary>
public enum CommitOutcome
{
    /// <summary>The commit is durable.</summary>
    Committed,

    /// <summary>
    /// A partition's row was not what its owner remembers, or another transaction holds it: nothing was changed, and
    /// the owner must discard all memory of that partition.
    /// </summary>
    NotOwner,
}

/// <summary>An error of the database.</summary>
/// <param name="message">What was attempted, and the database's error text.</param>
/// <param name="isDataFault">SQLSTATE class 22 or 23: the data of a row was refused. Every other error rolls back and
/// is retried.</param>
/// <param name="mayHaveCommitted">True when the connection broke while the answer to COMMIT was awaited.</param>
/// <param name="inner">The cause.</param>
public sealed class StoreException(string message, bool isDataFault, bool mayHaveCommitted, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when the data itself was refused.</summary>
    public bool IsDataFault { get; } = isDataFault;

    /// <summary>
    /// True when it is unknown whether the transaction committed: discard the memory and read the row again.
    /// </summary>
    public bool MayHaveCommitted { get; } = mayHaveCommitted;

    /// <summary>True when the database did not answer, or is stopping or starting.</summary>
    public bool IsUnreachable { get; init; }

    /// <summary>
    /// For a data fault: the row of the commit's readings that was refused first, as far as the database names it. A
    /// hint only.
    /// </summary>
    public int? Reading { get; init; }
}
