using System.Collections.Concurrent;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Ledger;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Readings;

namespace Telemetry.Storage.Postgres;

/// <summary>
/// The store on PostgreSQL or TimescaleDB. Commits go side by side, each over a connection that is kept for the next,
/// everything else over a small pool. Safe for several callers at once; errors are <see cref="StoreException"/>.
/// </summary>
public sealed class PostgresStore : IStore, IAsyncDisposable
{
    private readonly NpgsqlDataSource _readers;
    // In turn: one that rested longest is next, so that none dies of silence.
    private readonly ConcurrentQueue<CommitConnection> _idle = [];
    private readonly ReadingPartitions? _partitions;
    private readonly PostgresStoreOptions _options;
    private readonly ReadingTable _table;
    private readonly SemaphoreSlim _makingPartitions = new(1);

    private PostgresStore(
        NpgsqlDataSource readers, DatabaseEdition edition, ReadingTable table, PostgresStoreOptions options,
        TimeProvider time)
    {
        _readers = readers;
        Edition = edition;
        _options = options;
        _table = table;
        _partitions = table.IsPartitioned ? new ReadingPartitions(options, time) : null;
    }

    /// <summary>What kind of database it is.</summary>
    public DatabaseEdition Edition { get; }

    /// <summary>Plain PostgreSQL: partitions that could not be made, whose rows go to the default partition.</summary>
    public int PartitionsLeftToDefault => _partitions?.LeftToDefault ?? 0;

    /// <summary>
    /// Connects, finds out what the database is, and makes or migrates its tables. A database of a newer version is
    /// refused with both versions named.
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
            await MigrationRunner.RunAsync(connection, edition, options.Migrate, cancellationToken);
            return new PostgresStore(
                readers, edition, await ReadingTable.FindAsync(connection, cancellationToken), options, time);
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
        ReadAsync("load schemas", c => FrameAndSchemaQueries.LoadSchemasAsync(c, gateway, cancellationToken), cancellationToken);

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
            "find first frames", c => FrameAndSchemaQueries.FindFirstFramesAsync(c, ranges, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<RefusedSeries>> FindRefusedSeriesAsync(
        IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken) =>
        ReadAsync(
            "find refused series", c => SeriesStatements.FindRefusedAsync(c, series, cancellationToken),
            cancellationToken);

    public Task<IReadOnlyList<RefusedReading>> FindRefusedAsync(
        ReadingBuffer readings, CancellationToken cancellationToken) =>
        ReadAsync(
            "find refused readings", c => ReadingProbe.FindAsync(c, readings, cancellationToken), cancellationToken);

    public async Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        if (commit.Partitions.Count == 0)
        {
            throw new ArgumentException(
                "a commit without a partition has nothing that proves its owner", nameof(commit));
        }

        if (_partitions is not null)
        {
            await MakePartitionsAsync(_partitions, commit.Readings, cancellationToken);
        }

        if (!_idle.TryDequeue(out var connection))
        {
            connection = new CommitConnection(_options, _table);
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
    /// Sums up and removes what the frame register has of whole days older than <paramref name="keep"/>. To be called
    /// now and then by any process; on an error nothing has changed, and the next call does it.
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

    /// <summary>The greatest number that a series or a device has; each number is given once, up to 2^31.</summary>
    public Task<long> GreatestNumberAsync(CancellationToken cancellationToken) => ReadAsync(
        "look at the numbers of series",
        async c =>
        {
            await using var command = new NpgsqlCommand(
                "SELECT greatest((SELECT last_value FROM telemetry.series_id_seq), "
                + "(SELECT last_value FROM telemetry.device_id_seq))::bigint",
                c);
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        },
        cancellationToken);

    /// <summary>
    /// Trims the alert outbox. To be called now and then by any process; what an error interrupts is done by the next
    /// call.
    /// </summary>
    public Task<IReadOnlyList<AlertOutboxLook>> TrimAlertsAsync(
        AlertOutboxOptions options, CancellationToken cancellationToken) =>
        ReadAsync(
            "trim the alert outbox", c => AlertOutboxTrimming.RunAsync(c, options, cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryDequeue(out var connection))
        {
            await connection.DisposeAsync();
        }

        await _readers.DisposeAsync();
        _makingPartitions.Dispose();
    }

    private async Task MakePartitionsAsync(
        ReadingPartitions partitions, ReadingBuffer readings, CancellationToken cancellationToken)
    {
        await _makingPartitions.WaitAsync(cancellationToken);
        try
        {
            if (partitions.Find(readings))
            {
                await ReadAsync(
                    "make partitions",
                    async c =>
                    {
                        await partitions.MakeAsync(c, cancellationToken);
                        return true;
                    },
                    cancellationToken);
            }
        }
        finally
        {
            _makingPartitions.Release();
        }
    }

    private async Task<T> ReadAsync<T>(
        string what, Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _readers.OpenConnectionAsync(cancellationToken);
            return await read(connection);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            if (e is not PostgresException { IsTransient: false })
            {
                // The others in the pool have most likely broken as well: the next try opens a new one.
                _readers.Clear();
            }

            throw StoreErrors.From(what, e);
        }
    }
}
