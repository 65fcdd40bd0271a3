using Npgsql;

namespace Telemetry.Storage.Postgres;

/// <summary>How the store uses its database.</summary>
public sealed record PostgresStoreOptions
{
    /// <summary>Npgsql's connection string: host, port, database, user, password, TLS.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Whether tables are made and migrated; without it, a database of another version is refused.</summary>
    public bool Migrate { get; init; } = true;

    /// <summary>
    /// The longest time of one statement. After it the connection is closed and the transaction rolls back.
    /// </summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the server keeps the transaction of an owner that no longer responds (power cut, cable pulled) before
    /// it rolls back and releases the partitions' rows.
    /// </summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the frame register keeps a row for each frame; older days are summed up. Not less than the log's
    /// maximum age: within this time, a settled range that arrives with other content is recognized as a fork.
    /// </summary>
    public TimeSpan KeepRegister { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// How long a window must have been complete before its parts are merged, and how old each of them must be: so far
    /// back telemetry.windows_as_of knows what a window showed at a time. At least a day.
    /// </summary>
    public TimeSpan KeepPartsApart { get; init; } = TimeSpan.FromDays(7);

    /// <summary>The part of the time, in percent, in which one connection merges parts of windows.</summary>
    public int MergingPercent { get; init; } = 15;

    /// <summary>The longest time of one statement of merging: of at most 1,000 windows.</summary>
    public TimeSpan MergingTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most connections for reading, in addition to those for commits; further readers wait.</summary>
    public int ReadConnectionsMax { get; init; } = 4;

    /// <summary>
    /// Plain PostgreSQL: readings up to this age get a partition for their week, whatever the limits for older
    /// readings.
    /// </summary>
    public TimeSpan PartitionsBack { get; init; } = TimeSpan.FromDays(400);

    /// <summary>
    /// Plain PostgreSQL: readings older than that, back to this time, get a partition for their week too, as long as
    /// the table has less than <see cref="PartitionsMax"/>. Still older ones (a clock that begins in 1970) go to the
    /// default partition, which accepts every time.
    /// </summary>
    public DateTimeOffset PartitionsOldest { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Plain PostgreSQL: the most partitions that older readings may add to a table. Beyond it they go to the default
    /// partition, so that a broken clock cannot make tables without limit. Default 520: ten years of weeks.
    /// </summary>
    public int PartitionsMax { get; init; } = 520;

    /// <summary>
    /// Plain PostgreSQL: the most partitions for older readings that one commit makes before it stores. Its readings of
    /// further weeks go to the default partition, where the readings of those weeks then stay. Default 64.
    /// </summary>
    public int PartitionsAtOnceMax { get; init; } = 64;

    /// <summary>Plain PostgreSQL: readings up to this far in the future get a partition for their week.</summary>
    public TimeSpan PartitionsAhead { get; init; } = TimeSpan.FromDays(8);

    /// <summary>
    /// How long making a partition waits for queries (plain PostgreSQL; after that its rows go to the default
    /// partition), or the conversion of a chunk for queries and commits (TimescaleDB; after that it is tried again
    /// later).
    /// </summary>
    public TimeSpan PartitionLockWait { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Plain PostgreSQL: readings are moved from the table without an index to the weeks with one when there are so
    /// many. Each query for readings scans those that were not moved. Default 65,536: a few milliseconds.
    /// </summary>
    public int ArrivedReadings { get; init; } = 65_536;

    /// <summary>
    /// The part of the time, in percent, in which one connection moves readings (plain PostgreSQL), or converts or
    /// indexes chunks (TimescaleDB). At 15, about 50,000 readings a second are moved; what comes faster than that is
    /// moved later.
    /// </summary>
    public int IndexingPercent { get; init; } = 15;

    /// <summary>
    /// TimescaleDB: how large a chunk of readings should be while it is open. Its length follows from that and from the
    /// rate, within an hour and seven days. Queries scan the open chunk. Default 32 MiB: about 600,000 readings.
    /// </summary>
    public long ChunkBytes { get; init; } = 32L << 20;

    /// <summary>TimescaleDB: how long after its end a chunk is still taken as open.</summary>
    public TimeSpan ChunkGrace { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// TimescaleDB: how long no rows must have come to a converted chunk before those that came late are merged into
    /// it, and when a chunk that somebody held is tried again.
    /// </summary>
    public TimeSpan ChunkQuiet { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// TimescaleDB Community: whether long runs of readings are written to the columnstore at once, where the server
    /// can.
    /// </summary>
    public bool DirectCompress { get; init; } = true;

    /// <summary>
    /// The longest time of moving at most 16 MiB or building one week's index (plain PostgreSQL), or of converting or
    /// indexing one chunk (TimescaleDB).
    /// </summary>
    public TimeSpan IndexingTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The most rows that retention deletes in one transaction. Default 100,000.</summary>
    public int RetentionRowsMax { get; init; } = 100_000;

    /// <summary>The part of the time, in percent, in which one connection deletes what retention removes.</summary>
    public int RetentionPercent { get; init; } = 25;

    /// <summary>
    /// Checks a connection string and sets its password, unless that is null. Throws <see cref="FormatException"/> with
    /// the reason when it cannot be read.
    /// </summary>
    public static string Connection(string text, string? password)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text);
            if (password is not null)
            {
                builder.Password = password;
            }

            return builder.ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException)
        {
            throw new FormatException(e.Message, e);
        }
    }
}
