using System.Runtime.InteropServices;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Judges a path before anything is opened there, and changes nothing: whether an outbox is there, can be made there,
/// or why neither.
/// </summary>
internal static partial class SqliteLook
{
    // EROFS
    private const int ReadOnlyFileSystem = 30;

    private const int Executable = 1, Writable = 2, Readable = 4;

    /// <summary>True when there is no outbox yet. Throws <see cref="OutboxException"/> when none can be had.</summary>
    public static bool IsNew(string path)
    {
        if (Directory.Exists(path))
        {
            throw Unopenable($"{path} is a folder");
        }

        var folder = Path.GetDirectoryName(path) ?? "/";
        if (!Directory.Exists(folder))
        {
            throw Unopenable($"the folder {folder} does not exist");
        }

        if (!File.Exists(path))
        {
            Require(folder, Writable | Executable, $"cannot make the outbox {path}");
            return true;
        }

        Require(path, Readable, $"cannot read the outbox {path}");
        Require(path, Writable, $"cannot write the outbox {path}");
        Require(folder, Writable | Executable, $"cannot write beside the outbox {path}");
        try
        {
            return IsNewFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutboxException($"the outbox {path} cannot be read: {e.Message}", OutboxFault.Io, e);
        }
    }

    private static bool IsNewFile(string path)
    {
        var length = new FileInfo(path).Length;
        if (length == 0)
        {
            return true;
        }

        if (SqliteHeader.Read(path) is not { } header)
        {
            throw SqliteErrors.Damaged(path, "it is no database");
        }

        if (header is { ApplicationId: 0, UserVersion: 0, HasTables: false })
        {
            return true;
        }

        if (header.ApplicationId != SqliteSchema.ApplicationId)
        {
            throw new OutboxException($"{path} is a database, but no outbox", OutboxFault.Foreign);
        }

        return header.UserVersion <= SqliteSchema.Version
            ? header is { UserVersion: 0, HasTables: false }
            : throw new OutboxException(
                $"the outbox {path} has version {header.UserVersion}, this agent knows up to {SqliteSchema.Version}: "
                + "use a newer agent",
                OutboxFault.NewerVersion);
    }

    private static void Require(string path, int rights, string what)
    {
        if (access(path, rights) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            throw new OutboxException(
                $"{what}: {Marshal.GetPInvokeErrorMessage(error)}",
                error == ReadOnlyFileSystem ? OutboxFault.ReadOnly : OutboxFault.Unopenable);
        }
    }

    private static OutboxException Unopenable(string what) => new(what, OutboxFault.Unopenable);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string path, int mode);
}
