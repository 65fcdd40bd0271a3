using System.Globalization;
using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;
using Telemetry.Runtime;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Opens the file: settings, exclusive lock, version, check. Makes the tables of a new one. Bytes are stored apart from
/// facts, so that recording a receipt does not write 64 KiB again.
/// </summary>
internal static class SqliteSchema
{
    /// <summary>
    /// The version of the tables and of the segments in them, in user_version. A newer file is refused, an older one is
    /// migrated. Version 3: segments may be compact (see <see cref="SegmentColumns"/>), which an earlier agent would
    /// treat as damaged; existing segments stay as they are.
    /// </summary>
    public const int Version = 3;

    /// <summary>"TMOB" in application_id.</summary>
    public const int ApplicationId = 0x544d4f42;

    // Version 2: remembered requests.
    private const string RequestTable = """
        CREATE TABLE request (id INTEGER PRIMARY KEY, key BLOB NOT NULL, content BLOB NOT NULL, answer BLOB NOT NULL);
        """;

    private const string Tables = """
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            outbox_id INTEGER NOT NULL, accepted INTEGER NOT NULL, promised_w INTEGER NOT NULL);
        CREATE TABLE segment (
            id INTEGER PRIMARY KEY, count INTEGER NOT NULL, series INTEGER NOT NULL,
            time_first INTEGER NOT NULL, time_last INTEGER NOT NULL, bytes INTEGER NOT NULL, counts BLOB, data BLOB);
        CREATE TABLE frame (
            id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, lane INTEGER NOT NULL, first INTEGER NOT NULL,
            count INTEGER NOT NULL, dropped INTEGER NOT NULL, checksum INTEGER NOT NULL,
            schema_high INTEGER NOT NULL, schema_low INTEGER NOT NULL, bytes INTEGER NOT NULL, held INTEGER NOT NULL,
            receipt_stream INTEGER, receipt_sequence INTEGER, series INTEGER NOT NULL,
            time_first INTEGER NOT NULL, time_last INTEGER NOT NULL);
        CREATE TABLE frame_bytes (id INTEGER PRIMARY KEY, counts BLOB, data BLOB);
        CREATE TABLE epoch (
            epoch_order INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,
            predecessor INTEGER NOT NULL, predecessor_critical INTEGER NOT NULL,
            predecessor_live INTEGER NOT NULL, predecessor_backlog INTEGER NOT NULL,
            sealed_critical INTEGER NOT NULL, sealed_live INTEGER NOT NULL, sealed_backlog INTEGER NOT NULL,
            complete INTEGER NOT NULL, freed BLOB NOT NULL);
        CREATE TABLE drops (
            id INTEGER PRIMARY KEY, series INTEGER NOT NULL, count INTEGER NOT NULL,
            time_first INTEGER NOT NULL, time_last INTEGER NOT NULL, reason INTEGER NOT NULL);
        CREATE TABLE schema_step (step INTEGER PRIMARY KEY, parent_high INTEGER NOT NULL, parent_low INTEGER NOT NULL,
            additions BLOB NOT NULL);
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, lane INTEGER NOT NULL, first INTEGER NOT NULL,
            count INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
        """;

    /// <summary>
    /// Opens or creates the file. The message of a thrown <see cref="OutboxException"/> contains advice, and calls the
    /// file <paramref name="name"/> if that is given.
    /// </summary>
    public static SqliteConnection Open(string path, SqliteOutboxOptions options, string? name = null)
    {
        var isNew = SqliteLook.IsNew(path);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            SetLocking(connection);
            if (isNew)
            {
                Mark(connection, options);
            }

            Set(connection, options);
            var version = Number(connection, "PRAGMA user_version");
            if (version == 0 && Number(connection, "SELECT count(*) FROM sqlite_master") == 0)
            {
                Create(connection);
            }
            else
            {
                Check(connection, path, version, options);
            }

            // Write again what an earlier run wrote, because its fsync may have failed, before anything new relies on
            // it.
            Do(connection, "PRAGMA wal_checkpoint(RESTART)");

            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw SqliteErrors.OfOpening(e, name ?? path);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static void Do(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Sets the exclusive lock, which is taken with the first access, before WAL is entered: then no shared memory file
    /// is needed.
    /// </summary>
    public static void SetLocking(SqliteConnection connection) => Do(connection, "PRAGMA locking_mode = EXCLUSIVE");

    private static void Set(SqliteConnection connection, SqliteOutboxOptions options)
    {
        Do(connection, "PRAGMA journal_mode = WAL");
        Do(connection, "PRAGMA synchronous = FULL");
        Do(connection, "PRAGMA temp_store = MEMORY");

        // Some builds fill freed pages with zeros: each frame would then be written to the flash once more when it is
        // removed.
        Do(connection, "PRAGMA secure_delete = OFF");
        Do(
            connection,
            string.Create(CultureInfo.InvariantCulture, $"PRAGMA cache_size = -{options.CacheBytesMax / 1024}"));
        // An older file keeps its page size.
        var pageBytes = Number(connection, "PRAGMA page_size");
        Do(connection, string.Create(
            CultureInfo.InvariantCulture, $"PRAGMA wal_autocheckpoint = {options.WalBytes / pageBytes}"));
        Do(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA journal_size_limit = {options.WalBytes}"));

        // Takes the lock permanently, even if nothing is written for a long time.
        Do(connection, "BEGIN EXCLUSIVE");
        Do(connection, "COMMIT");
    }

    // Before the log exists, so that the file's own header identifies the outbox from the first moment on.
    private static void Mark(SqliteConnection connection, SqliteOutboxOptions options)
    {
        Do(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA page_size = {options.PageBytes}"));
        Do(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
    }

    private static void Create(SqliteConnection connection)
    {
        var id = unchecked((long)SystemRandom.Instance.NextId());
        Do(connection, string.Create(CultureInfo.InvariantCulture, $"""
            BEGIN IMMEDIATE;
            {Tables}
            {RequestTable}
            INSERT INTO outbox VALUES (1, {id}, 0, {long.MinValue});
            PRAGMA user_version = {Version};
            COMMIT;
            """));
    }

    private static void Check(SqliteConnection connection, string path, long version, SqliteOutboxOptions options)
    {
        if (options.CheckAtOpen)
        {
            CheckStructure(connection, path);
        }

        if (version < 2)
        {
            Do(connection, $"BEGIN IMMEDIATE; {RequestTable} PRAGMA user_version = 2; COMMIT;");
        }

        if (version < Version)
        {
            Do(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {Version}"));
        }
    }

    /// <summary>Throws when the file's structure is damaged.</summary>
    public static void CheckStructure(SqliteConnection connection, string path)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA quick_check(1)";
        if (command.ExecuteScalar() is string verdict && verdict != "ok")
        {
            throw SqliteErrors.Damaged(path, verdict);
        }
    }

    public static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
