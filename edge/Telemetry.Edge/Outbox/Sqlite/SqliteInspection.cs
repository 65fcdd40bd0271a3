using Microsoft.Data.Sqlite;
using SQLitePCL;
using Telemetry.Model.Identity;
using Telemetry.Runtime;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Reports what an agent would report about an outbox file if it were started, without changing a byte of it or of its
/// neighbours. If there is no file yet, it makes one beside the path for a moment.
/// </summary>
public static class SqliteInspection
{
    // The bytes that SQLite locks (the "lock-byte page" of its file format).
    private const long LockFirst = 0x4000_0000, LockBytes = 512;

    private const int NoCheckpointOnClose = 1006;

    /// <summary>What is wrong with the file, as text; null when an agent can work with it.</summary>
    public static string? Problem(string path, GatewayId gateway, OutboxOptions options)
    {
        try
        {
            path = SqliteLook.FullPath(path);
            if (SqliteOutboxFile.IsOpenHere(path))
            {
                throw SqliteErrors.InUse(path);
            }

            if (SqliteLook.IsNew(path))
            {
                MakeAnother(path, options);
            }
            else
            {
                Inspect(path, gateway, options);
            }

            return null;
        }
        catch (OutboxException e)
        {
            return e.Message;
        }
    }

    private static void Inspect(string path, GatewayId gateway, OutboxOptions options)
    {
        try
        {
            RequireFree(path);
            using var connection = Open(path);
            SqliteSchema.CheckStructure(connection, path);
            _ = SqliteGateway.IsOf(connection, path, gateway);
            var image = SqliteImageReader.Read(connection, []);
            _ = OutboxState.Of(image, gateway, options, TimeProvider.System, SystemRandom.Instance);
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.OfOpening(e, path);
        }
    }

    // Whether a new file has enough space is tested by making one beside the path, under another name.
    private static void MakeAnother(string path, OutboxOptions options)
    {
        var another = Path.Combine(Path.GetDirectoryName(path)!, $".check-{Environment.ProcessId}.outbox");
        try
        {
            SqliteSchema.Open(another, SqliteOutboxOptions.For(options.QuotaBytes), path).Dispose();
        }
        finally
        {
            foreach (var file in (string[])["", "-journal", "-wal"])
            {
                File.Delete(another + file);
            }
        }
    }

    private static void RequireFree(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        try
        {
#pragma warning disable CA1416 // Useless where SQLite locks in another way; the outbox runs on Linux.
            file.Lock(LockFirst, LockBytes);
            file.Unlock(LockFirst, LockBytes);
#pragma warning restore CA1416
        }
        catch (IOException e)
        {
            throw SqliteErrors.InUse(path, e);
        }
    }

    private static string Escaped(string path) =>
        Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal);

    // If the log is not empty, SQLite has to read both files; it opens them for writing, but does not write. Otherwise
    // it is told that the file never changes, so that it makes no log.
    private static SqliteConnection Open(string path)
    {
        var hasLog = SqliteHeader.HasLog(path);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = hasLog ? path : $"file:{Escaped(path)}?immutable=1",
            Mode = hasLog ? SqliteOpenMode.ReadWrite : SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            if (hasLog)
            {
                SqliteSchema.SetLocking(connection);
                _ = raw.sqlite3_db_config(connection.Handle, NoCheckpointOnClose, 1, out _);
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
