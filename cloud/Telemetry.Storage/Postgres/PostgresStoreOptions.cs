namespace Telemetry.Storage.Postgres;

/// <summary>How the store uses its database.</summary>
public sealed record PostgresStoreOptions
{
    /// <summary>Npgsql's connection string: host, port, database, user, password, TLS.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>
    /// Whether tables are made and brought up to date; without it, a database of another version is refused.
    /// </summary>
    public bool Migrate { get; init; } = true;

    /// <summary>
    /// The longest that one statement may take; then the connection is given up and the transaction rolls back.
    /// </summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the server keeps a transaction whose owner fell silent (power cut, cable pulled) before it rolls back
    /// and frees the partitions' rows.
    /// </summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the frame register keeps a row a frame; older days are rolled up. Not less than the log's maximum age:
    /// within this time a settled range that comes with other content is seen to be a fork.
    /// </summary>
    public TimeSpan KeepRegister { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The most connections for reading, beside those for commits; further readers wait.</summary>
    public int ReadConnectionsMax { get; init; } = 4;

    /// <summary>
    /// Plain PostgreSQL: readings up to this old get a partition for their week, whatever the limits for older ones
    /// say.
    /// </summary>
    public TimeSpan PartitionsBack { get; init; } = TimeSpan.FromDays(400);

    /// <summary>
    /// Plain PostgreSQL: older readings, down to this time, get a partition for their week too, as long as the table
    /// has less than <see cref="PartitionsMax"/>; still older ones (a clock that begins in 1970) go to the default
    /// partition, which refuses nothing.
    /// </summary>
    public DateTimeOffset PartitionsOldest { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Plain PostgreSQL: the most partitions that older readings may make of a table; beyond it theirs go to the
    /// default one, so that a broken clock cannot make tables without end. Default 520: ten years of weeks.
    /// </summary>
    public int PartitionsMax { get; init; } = 520;

    /// <summary>
    /// Plain PostgreSQL: partitions for older readings that one commit makes before it stores; its readings of further
    /// weeks go to the default partition, where those weeks then stay. Default 64.
    /// </summary>
    public int PartitionsAtOnceMax { get; init; } = 64;

    /// <summary>Plain PostgreSQL: readings up to this far in the future get a partition for their week.</summary>
    public TimeSpan PartitionsAhead { get; init; } = TimeSpan.FromDays(8);

    /// <summary>
    /// Plain PostgreSQL: how long making a partition waits for queries; then its rows go to the default one.
    /// </summary>
    public TimeSpan PartitionLockWait { get; init; } = TimeSpan.FromSeconds(3);
}
