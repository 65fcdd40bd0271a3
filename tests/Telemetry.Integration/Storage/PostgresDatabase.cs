using System.Text;
using Npgsql;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage;

/// <summary>A database of its own on a server, the store on it, and looks behind the store.</summary>
internal sealed class PostgresDatabase : IStoreUnderTest, IAsyncDisposable
{
    private static int _databases;
    private readonly List<PostgresStore> _stores = [];
    private readonly List<string> _warnings = [];

    private PostgresDatabase(string connectionString) => ConnectionString = connectionString;

    public string ConnectionString { get; }

    /// <summary>Warnings of SQLSTATE 01000 that connections of <see cref="OpenConnection"/> had.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    public PostgresStore Postgres => _stores[0];

    public IStore Store => _stores[0];

    /// <summary>Makes a database and opens a store on it.</summary>
    public static async Task<PostgresDatabase> Create(string serverConnectionString)
    {
        var database = await CreateEmpty(serverConnectionString);
        await database.OpenAnother();
        return database;
    }

    /// <summary>The database that the connection string names, without our tables.</summary>
    public static async Task<PostgresDatabase> Emptied(string connectionString)
    {
        var database = new PostgresDatabase(connectionString);
        await database.Execute("DROP SCHEMA IF EXISTS telemetry CASCADE");
        return database;
    }

    /// <summary>Makes a database without tables.</summary>
    public static async Task<PostgresDatabase> CreateEmpty(string serverConnectionString)
    {
        var name = $"test_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}";
        var builder = new NpgsqlConnectionStringBuilder(serverConnectionString) { Database = name };
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(serverConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new PostgresDatabase(builder.ConnectionString);
    }

    public async Task<IStore> OpenAnother() =>
        await OpenStore(new PostgresStoreOptions { ConnectionString = ConnectionString, MergingPercent = 100 });

    public async Task<PostgresStore> OpenStore(PostgresStoreOptions options, TimeProvider? time = null)
    {
        var store = await PostgresStore.OpenAsync(options, time ?? TimeProvider.System, default);
        _stores.Add(store);
        return store;
    }

    public Task PassTime(TimeSpan time) => Execute(
        $"UPDATE telemetry.partition SET lease_until = lease_until - interval '{(long)time.TotalMilliseconds} ms'");

    public Task Pause() => Task.Delay(TimeSpan.FromMilliseconds(20));

    public async Task<IAsyncDisposable> BeginHolding(PartitionRow row)
    {
        var connection = await OpenConnection();
        await connection.BeginTransactionAsync();
        var statements = new PartitionStatements();
        Assert.Empty(await statements.ExecuteAsync(connection, [StoreSteps.Step(row)], default));
        // In the middle of a COPY: the server waits for the client's next bytes.
        await connection.BeginRawBinaryCopyAsync(new ReadingEncoder(withDevice: false).CopySql, default);
        return connection;
    }

    public bool NamesReadings => true;

    public Task RefuseTime(long micros) => Execute(
        $"ALTER TABLE telemetry.reading ADD CHECK (time <> timestamptz '1970-01-01Z' + interval '{micros} "
        + "microseconds')");

    public Task RefuseDevice(string device) =>
        Execute($"ALTER TABLE telemetry.series ADD CHECK (device <> '{device}')");

    public Task<IReadOnlyList<StoredReading>> ReadAllReadings() => Read(
        """
        SELECT coalesce(s.identity, '\x'), r.time, r.flags, r.i, r.f, r.t
        FROM telemetry.reading r LEFT JOIN telemetry.series s ON s.id = r.series
        """,
        r =>
        {
            var flags = r.GetInt16(2);
            ulong? bits = !r.IsDBNull(4) ? BitConverter.DoubleToUInt64Bits(r.GetDouble(4))
                : r.IsDBNull(3) ? null
                : ScaledNumber.IsScaled(flags) ? ScaledNumber.Unscale(r.GetInt64(3), flags)
                : (ulong)r.GetInt64(3);
            return new StoredReading(
                Identity(r, 0), ColumnValues.Micros(r.GetDateTime(1)), (ReadingFlags)(flags & 255), bits,
                r.IsDBNull(5) ? null : r.GetString(5));
        });

    public Task<IReadOnlyList<DeadLetterRow>> ReadAllDeadLetters() => Read(
        """
        SELECT gateway, epoch, lane, first, count, reason, error, readings, series_identity, time_micros, bytes,
            content, flags, schema
        FROM telemetry.dead_letter ORDER BY id
        """,
        r => new DeadLetterRow(
            GatewayId.Parse(r.GetString(0)), Key(r), (DeadLetterReason)r.GetInt16(5), r.GetString(6), r.GetInt32(7),
            Identity(r, 8), r.GetInt64(9), r.GetFieldValue<byte[]>(10))
        {
            Content = (DeadLetterContent)r.GetInt16(11),
            Flags = (ReadingFlags)r.GetInt16(12),
            Schema = r.GetFieldValue<byte[]>(13) is { Length: > 0 } id ? SchemaId.Read(id) : default,
        });

    public Task<IReadOnlyList<DropLedgerRow>> ReadAllDrops() => Read(
        """
        SELECT gateway, epoch, lane, first, count, series_identity, series, readings, time_first, time_last, reason
        FROM telemetry.drop_declaration
        """,
        r => new DropLedgerRow(
            GatewayId.Parse(r.GetString(0)), Key(r), Identity(r, 5), new Declaration(
                r.GetInt32(6), r.GetInt32(7), ColumnValues.Micros(r.GetDateTime(8)),
                ColumnValues.Micros(r.GetDateTime(9)), (DropReason)r.GetInt16(10))));

    public Task<IReadOnlyList<StoredPart>> ReadAllParts() => Read(
        $"{StoredParts.Sql} JOIN telemetry.series s ON s.id = p.series", StoredParts.Read);

    public Task<IReadOnlyList<StoredRevision>> ReadAllRevisions() => Read(
        """
        SELECT gateway, epoch, lane, first, count, s.identity, start, width, cause, readings, numbers, sum
        FROM (SELECT r.*, s.identity FROM telemetry.window_revision r JOIN telemetry.series s ON s.id = r.series) s
        """,
        r => new StoredRevision(
            Identity(r, 5), new WindowSpan(ColumnValues.Micros(r.GetDateTime(6)), r.GetInt32(7)),
            GatewayId.Parse(r.GetString(0)), Key(r), (RevisionCause)r.GetInt16(8), r.GetInt32(9), r.GetInt32(10),
            r.IsDBNull(11) ? null : r.GetDouble(11)));

    public Task<IReadOnlyList<AlertOutboxRow>> ReadAlertOutbox() => Read(
        "SELECT partition, number, chain, id, event FROM telemetry.alert_outbox ORDER BY partition, number",
        r => new AlertOutboxRow(
            r.GetInt32(0), new AlertHead(r.GetInt64(1), ColumnValues.Hash(r.GetFieldValue<byte[]>(2))), r.GetString(3),
            r.GetFieldValue<byte[]>(4)));

    public async Task<IReadOnlyList<T>> Read<T>(string sql, Func<NpgsqlDataReader, T> map)
    {
        await using var connection = await OpenConnection();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>One row as text, its columns joined by a bar, nulls empty.</summary>
    public async Task<string> Row(string sql) => Assert.Single(await Read(sql, r =>
    {
        var text = new StringBuilder();
        for (var i = 0; i < r.FieldCount; i++)
        {
            text.Append(i > 0 ? "|" : "").Append(r.IsDBNull(i) ? "" : Convert.ToString(r.GetValue(i), null));
        }

        return text.ToString();
    }));

    public async Task Execute(string sql)
    {
        await using var connection = await OpenConnection();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<NpgsqlConnection> OpenConnection()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        connection.Notice += (_, e) =>
        {
            if (e.Notice.SqlState == PostgresErrorCodes.Warning)
            {
                _warnings.Add(e.Notice.MessageText);
            }
        };
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>
    /// Moves readings as upkeep does, once no other session does it; one that was ended may take a moment.
    /// </summary>
    public async Task IndexReadings()
    {
        await UntilNobodyLocks();
        await Postgres.IndexReadingsAsync(default);
    }

    /// <summary>Waits until no session has an advisory lock.</summary>
    public async Task UntilNobodyLocks()
    {
        while (await Row("""
            SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """) != "0")
        {
            await Pause();
        }
    }

    /// <summary>Waits until a session waits for a lock in such a statement.</summary>
    public Task UntilWaiting(string statement) => UntilWaiting(statement, "true");

    /// <summary>Ends the session that waits for a lock in such a statement, as soon as there is one.</summary>
    public Task EndWaiting(string statement) => UntilWaiting(statement, "pg_terminate_backend(pid)");

    private async Task UntilWaiting(string statement, string action)
    {
        while (await Row($"""
            SELECT count(*) FILTER (WHERE {action}) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '{statement}'
            """) == "0")
        {
            await Pause();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
    }

    private static SeriesIdentity Identity(NpgsqlDataReader r, int column) =>
        ColumnValues.Identity(r.GetFieldValue<byte[]>(column));

    private static FrameKey Key(NpgsqlDataReader r) =>
        new((ulong)r.GetInt64(1), (Lane)r.GetInt16(2), r.GetInt64(3), r.GetInt32(4));
}
