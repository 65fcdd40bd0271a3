using System.Collections.Concurrent;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Storage.Postgres.Chunks;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Ledger;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Retention;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres;

/// <summary>
/// The store on PostgreSQL or TimescaleDB. Commits run side by side, each on a connection that is kept for the next
/// one; everything else uses a small pool. Safe for several callers at once; errors are <see cref="StoreException"/>.
/// </summary>
public sealed class PostgresStore : IStore, IAsyncDisposable
{
    private readonly ReadPool _readers;
    // Used in turn: the connection that was idle longest is next, so that no connection is closed for inactivity.
    private readonly ConcurrentQueue<CommitConnection> _idle = [];
    private readonly CommitPartitions? _partitions;
    private readonly ReadingIndexing? _indexing;
    private readonly ChunkUpkeep? _chunks;
    private readonly PostgresStoreOptions _options;
    private readonly ReadingTable _table;
    private readonly DirectCompress _direct;

    private PostgresStore(
        NpgsqlDataSource readers, DatabaseEdition edition, ReadingTable table, PostgresStoreOptions options,
        TimeProvider time)
    {
        _readers = new ReadPool(readers);
        AlertHistory = new AlertHistory(_readers);
        Edition = edition;
        _options = options;
        _table = table;
        Retention = new RetentionJob(options, table.HasDevice, edition, time);
        Merging = new PartMerging(options, time);
        _direct = new DirectCompress(edition.HasDirectCompress && options.DirectCompress);
        if (table.IsPartitioned)
        {
            _partitions = new CommitPartitions(options, time);
            _indexing = new ReadingIndexing(options, time);
        }
        else
        {
            _chunks = new ChunkUpkeep(options, edition.Kind == DatabaseKind.TimescaleCommunity, time);
        }
    }

    /// <summary>The kind of database.</summary>
    public DatabaseEdition Edition { get; }

    /// <summary>What kept the readers' role from being made or granted at the start; null if nothing did.</summary>
    public string? ReaderRoleProblem { get; private init; }

    /// <summary>
    /// Plain PostgreSQL: the number of partitions that could not be made; their rows go to the default partition.
    /// </summary>
    public int PartitionsLeftToDefault => (_partitions?.LeftToDefault ?? 0) + (_indexing?.LeftToDefault ?? 0);

    /// <summary>The server's warning that turned direct compress off; null while it had none.</summary>
    public string? DirectCompressProblem => _direct.Problem;

    /// <summary>
    /// Plain PostgreSQL: the number of readings that <see cref="IndexReadingsAsync"/> of this store has moved.
    /// </summary>
    public long ReadingsIndexed => _indexing?.Moved ?? 0;

    public IAlertHistory AlertHistory { get; }

    /// <summary>Removes what retention does not keep. Any process should run it at intervals.</summary>
    public RetentionJob Retention { get; }

    /// <summary>Merges the parts of windows. Any process should run it at intervals.</summary>
    public PartMerging Merging { get; }

    /// <summary>
    /// Connects, determines the kind of database, and makes or migrates its tables. A database of a newer version is
    /// refused with a message that names both versions.
    /// </summary>
    public static async Task<PostgresStore> OpenAsync(
        PostgresStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var readers = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = options.ReadConnectionsMax,
            CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
            TcpKeepAlive = true,
        });
        try
        {
            await using var connection = await readers.OpenConnectionAsync(cancellationToken);
            var edition = await DatabaseEdition.DetectAsync(connection, cancellationToken);
            var problem = await MigrationRunner.RunAsync(connection, edition, options.Migrate, cancellationToken);
            return new PostgresStore(
                readers, edition, await ReadingTable.FindAsync(connection, cancellationToken), options, time)
            {
                ReaderRoleProblem = problem,
            };
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            await readers.DisposeAsync();
            throw StoreErrors.From("open the database", e);
        }
        catch
        {
            await readers.DisposeAsync();
            throw;
        }
    }

    public Task<InstallationFacts> InstallAsync(
        InstallationFacts proposed, CancellationToken cancellationToken) =>
        ReadAsync(
            "find the installation", c => InstallationRow.InstallAsync(c, proposed, cancellationToken),
            cancellationToken);

    /// <summary>Returns the facts in the database; null before the first start.</summary>
    public Task<InstallationFacts?> FindInstallationAsync(CancellationToken cancellationToken) =>
        ReadAsync("find the installation", c => InstallationRow.FindAsync(c, cancellationToken), cancellationToken);

    /// <summary>
    /// What must be done before the number of partitions can be changed, as text; null when nothing. <paramref
    /// name="ends"/> is how far each stream must be processed; <paramref name="relays"/> says that this configuration
    /// has a relay, so that alerts must be published.
    /// </summary>
    public Task<string?> FindUndoneAsync(
        IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamEnd> ends, bool relays,
        CancellationToken cancellationToken) =>
        ReadAsync(
            "look at the partitions", c => PartitionChange.UndoneAsync(c, ends, relays, cancellationToken),
            cancellationToken);

    /// <summary>
    /// Changes the number of partitions. Returns null when it is durable; otherwise what must be done first, and then
    /// nothing has changed. Throws <see cref="InstallationException"/> when the database holds other facts.
    /// </summary>
    public Task<string?> ChangePartitionsAsync(
        InstallationFacts from, InstallationFacts to,
        IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamEnd> ends, bool relays, long token,
        CancellationToken cancellationToken) =>
        ReadAsync(
            "change the partitions",
            c => PartitionChange.MakeAsync(c, from, to, ends, relays, token, cancellationToken), cancellationToken);

    public Task<LeaseLook> LookAtLeasesAsync(
        LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken) =>
        ReadAsync(
            "look at the leases", c => Leases.LookAsync(c, beat, lasts, cancellationToken), cancellationToken);

    public Task<bool> EndHolderAsync(int partition, LeaseHolder holder, CancellationToken cancellationToken) =>
        ReadAsync(
            "end the transaction that holds a partition",
            c => PartitionLock.EndAsync(c, partition, holder, cancellationToken), cancellationToken);

    public Task<PartitionRow?> TakeLeaseAsync(
        int partition, ulong token, string owner, TimeSpan lease, CancellationToken cancellationToken) =>
        ReadAsync(
            "take a lease", c => Leases.TakeAsync(c, partition, token, owner, lease, cancellationToken),
            cancellationToken);

    public Task ReleaseLeaseAsync(int partition, ulong token, CancellationToken cancellationToken) => ReadAsync(
        "release a lease",
        async c =>
        {
            await Leases.ReleaseAsync(c, partition, token, cancellationToken);
            return true;
        },
        cancellationToken);

    public Task<IReadOnlyList<GatewayRecord>> LoadGatewaysAsync(
        IReadOnlyCollection<GatewayId> gateways, CancellationToken cancellationToken) =>
        ReadAsync("load gateways", c => LedgerReader.ReadAsync(c, gateways, cancellationToken), cancellationToken);

    public Task<GatewaySchemaRows> LoadSchemasAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        ReadAsync("load schemas", c =>
            FrameAndSchemaQueries.LoadSchemasAsync(c, gateway, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<WaitingRow>> LoadWaitingAsync(
        GatewayId gateway, SchemaId needs, CancellationToken cancellationToken) =>
        ReadAsync(
            "load what waits for a schema", c => WaitingStatements.LoadAsync(c, gateway, needs, cancellationToken),
            cancellationToken);

    public Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken) =>
        ReadAsync(
            "find frames",
            c => FrameAndSchemaQueries.FindFramesAsync(c, gateway, epoch, lane, range, framesMax, cancellationToken),
            cancellationToken);

    public Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges, CancellationToken cancellationToken) =>
        ReadAsync(
            "find first frames", c => FrameAndSchemaQueries.FindFirstFramesAsync(c, ranges, cancellationToken),
            cancellationToken);

    public Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken) =>
        ReadAsync(
            "find refused series", c => SeriesStatements.FindRefusedAsync(c, series, cancellationToken),
            cancellationToken);

    public Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(
        ReadingBuffer readings, CancellationToken cancellationToken) =>
        ReadAsync(
            "find refused readings", c => ReadingProbe.FindAsync(c, readings, cancellationToken), cancellationToken);

    public Task RecordLagAsync(IReadOnlyList<StreamLagRow> rows, CancellationToken cancellationToken) =>
        rows.Count == 0 ? Task.CompletedTask : ReadAsync(
            "record how far streams are behind",
            async c =>
            {
                await LagStatements.WriteAsync(c, rows, cancellationToken);
                return true;
            },
            cancellationToken);

    public Task<IReadOnlyList<GatewayId>> FindOpenGatewaysAsync(int partition, CancellationToken cancellationToken) =>
        ReadAsync(
            "find gateways with open windows", c => OpenReadings.FindGatewaysAsync(c, partition, cancellationToken),
            cancellationToken);

    public Task<OpenReadingCounts> ReadReadingsAsync(
        IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways, Func<GatewayId, int, SeriesEntry?> series,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken) =>
        ReadAsync(
            "read the readings of open windows",
            c => OpenReadings.ReadAsync(c, gateways, series, rows, readingsMax, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<WindowWidth>> ReadWidthsAsync(CancellationToken cancellationToken) =>
        ReadAsync("read the widths of windows", c => WidthTable.ReadAsync(c, cancellationToken), cancellationToken);

    /// <summary>
    /// Compares a windows file with the database and adds its new entries; returns how many. Throws
    /// <see cref="WindowWidthException"/> when the file does not agree with the database; nothing is added then.
    /// </summary>
    public Task<int> AddWidthsAsync(ConfiguredWidths file, string addedBy, CancellationToken cancellationToken) =>
        ReadAsync(
            "add widths of windows", c => WidthTable.AddAsync(c, file, addedBy, cancellationToken), cancellationToken);

    public async Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        if (commit.Partitions.Count == 0)
        {
            throw new ArgumentException(
                "a commit without a partition does not prove its owner", nameof(commit));
        }

        if (_partitions is not null)
        {
            await _partitions.EnsureAsync(
                commit.Readings, make => ReadAsync("make partitions", make, cancellationToken), cancellationToken);
        }

        if (!_idle.TryDequeue(out var connection))
        {
            connection = new CommitConnection(_options, _table, _direct);
        }

        try
        {
            return await connection.CommitAsync(commit, cancellationToken);
        }
        finally
        {
            _idle.Enqueue(connection);
        }
    }

    /// <summary>
    /// Sums up and removes the frame register's rows of whole days older than <paramref name="keep"/>. Any process
    /// should call it at intervals. After an error nothing has changed, and the next call repeats it.
    /// </summary>
    public Task SumUpFramesAsync(TimeSpan keep, CancellationToken cancellationToken) => ReadAsync(
        "sum up the frame register",
        async c =>
        {
            await FrameRegisterRollupStatements.RunAsync(
                c, _partitions is not null, keep, _options.PartitionLockWait, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <summary>
    /// Plain PostgreSQL: moves readings that have arrived to the partitions that have an index, until few are left.
    /// TimescaleDB: converts chunks that have closed to the columnstore, or indexes them. Any process should call it at
    /// intervals; one at a time does the work, and the next call continues after an error.
    /// </summary>
    public Task IndexReadingsAsync(CancellationToken cancellationToken) =>
        _indexing?.RunAsync(cancellationToken) ?? _chunks!.RunAsync(cancellationToken);

    /// <summary>The greatest number of a series or a device; each number is used once, up to 2^31.</summary>
    public Task<long> GreatestNumberAsync(CancellationToken cancellationToken) => ReadAsync(
        "look at the numbers of series", c => GreatestNumber.FindAsync(c, cancellationToken), cancellationToken);

    /// <summary>
    /// Trims the alert outbox. Any process should call it at intervals; the next call continues after an error.
    /// </summary>
    public Task<IReadOnlyList<AlertOutboxLook>> TrimAlertsAsync(
        AlertOutboxOptions options, CancellationToken cancellationToken) =>
        ReadAsync(
            "trim the alert outbox", c => AlertOutboxTrimming.RunAsync(c, options, cancellationToken),
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryDequeue(out var connection))
        {
            await connection.DisposeAsync();
        }

        await _readers.DisposeAsync();
        _partitions?.Dispose();
    }

    private Task<T> ReadAsync<T>(
        string what, Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken) =>
        _readers.RunAsync(what, read, cancellationToken);
}
