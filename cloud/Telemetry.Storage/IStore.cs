using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// The database. Two implementations under one contract test: PostgreSQL/TimescaleDB, and the simulated one. Errors are
/// <see cref="StoreException"/>.
/// </summary>
public interface IStore
{
    /// <summary>
    /// The facts of the installation that this database holds. Where it holds none these are written: of several that
    /// start at once one writes them, and all get the same.
    /// </summary>
    Task<InstallationFacts> InstallAsync(InstallationFacts proposed, CancellationToken cancellationToken);

    /// <summary>
    /// Says that a worker is alive for <paramref name="lasts"/> by the database's clock (zero: that it is not any
    /// more), and finds out what the leases are. Waits for nobody's transaction.
    /// </summary>
    Task<LeaseLook> LookAtLeasesAsync(LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the lease of a partition for <paramref name="lease"/> by the database's clock: with a new token where it
    /// is free, expired, or was this owner's. Null while another owner holds it, and at once while a transaction holds
    /// the partition, whoever's it is: it never waits for one.
    /// </summary>
    Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the session of a transaction that holds a partition, which rolls it back. Only if the lease has run out,
    /// and the transaction is still that one and waits for its client: one that works is never ended. False when
    /// nothing was ended.
    /// </summary>
    Task<bool> EndHolderAsync(int partition, LeaseHolder holder, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the lease back, so that the next owner need not wait; nothing happens when the token is another's, or
    /// while a transaction holds the partition.
    /// </summary>
    Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken);

    /// <summary>
    /// All that the ledger knows of these gateways, from one snapshot; a gateway never seen gives an empty record.
    /// </summary>
    Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken);

    /// <summary>
    /// All that a gateway registered: one look, however many steps lead to the newest schema.
    /// </summary>
    Task<GatewaySchemaRows> LoadSchemasAsync(GatewayId gateway, CancellationToken cancellationToken);

    /// <summary>The messages of a gateway that wait for a schema, the oldest first.</summary>
    Task<IReadOnlyList<WaitingRow>> LoadWaitingAsync(
        GatewayId gateway, SchemaId needs, CancellationToken cancellationToken);

    /// <summary>The first registered frames of a lane that overlap a range, at most so many, in their order.</summary>
    Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken);

    /// <summary>Of each range the first registered frame that overlaps it; null where there is none.</summary>
    Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges, CancellationToken cancellationToken);

    /// <summary>
    /// One transaction: first the compare-and-set of each partition's row (token, commits, both positions). One that
    /// differs, or that another transaction holds, rolls everything back, at once and without waiting; it is then in
    /// <see cref="StoreCommit.NotOwned"/>. Then all rows of the commit. Renewing a lease is a commit without rows. The
    /// head of the alert outbox is not compared: it moves only where the count of commits does.
    /// </summary>
    Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken);

    /// <summary>
    /// Finds which of these series, which are not registered, the database refuses for their own sake: by their place
    /// in the list. Nothing is registered by it.
    /// </summary>
    Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken);

    /// <summary>
    /// Finds which of these readings the database refuses for their own sake (SQLSTATE class 22 or 23), each tried
    /// behind those before it, in a transaction that is always rolled back. In their order; empty when it takes all of
    /// them.
    /// </summary>
    Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(ReadingBuffer readings, CancellationToken cancellationToken);
}

/// <summary>A reading that the database refuses.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Error">SQLSTATE and message.</param>
public readonly record struct RefusedReading(int Row, string Error);

/// <summary>A series that the database refuses.</summary>
/// <param name="Index">Its place among those that were asked for.</param>
/// <param name="Error">SQLSTATE and message.</param>
public readonly record struct RefusedSeries(int Index, string Error);

/// <summary>Whether a commit happened.</summary>
public enum CommitOutcome
{
    /// <summary>It is durable.</summary>
    Committed,

    /// <summary>
    /// A partition's row was not what its owner remembers, or another transaction holds it: nothing happened, all
    /// memory of that partition must go.
    /// </summary>
    NotOwner,
}

/// <summary>An error of the database.</summary>
/// <param name="message">What was done, and what the database said.</param>
/// <param name="isDataFault">SQLSTATE class 22 or 23: a row's fault. Everything else rolls back and waits.</param>
/// <param name="mayHaveCommitted">True when the connection broke while the commit's answer was awaited.</param>
/// <param name="inner">The cause.</param>
public sealed class StoreException(string message, bool isDataFault, bool mayHaveCommitted, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when the data itself was refused.</summary>
    public bool IsDataFault { get; } = isDataFault;

    /// <summary>
    /// True when nobody knows whether the transaction committed: forget the memory and read the row again.
    /// </summary>
    public bool MayHaveCommitted { get; } = mayHaveCommitted;

    /// <summary>True when the database did not answer, or is stopping or starting.</summary>
    public bool IsUnreachable { get; init; }

    /// <summary>
    /// Of a data fault: the row of the commit's readings that was refused first, as far as the database says it; a
    /// hint.
    /// </summary>
    public int? Reading { get; init; }
}
