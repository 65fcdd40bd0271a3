using System.Runtime.InteropServices;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Examines a path before anything is opened there, without changing anything: an outbox exists, one can be made there,
/// or neither is possible and why.
/// </summary>
internal static unsafe partial class SqliteLook
{
    // EROFS
    private const int ReadOnlyFileSystem = 30;

    // AT_FDCWD, STATX_TYPE; the offset of the mode in a statx, and S_IFMT and S_IFREG of the mode.
    private const int CurrentFolder = -100, TypeWanted = 1, StatxBytes = 256, ModeAt = 28, TypeBits = 0xf000,
        RegularFile = 0x8000;

    private const int Executable = 1, Writable = 2, Readable = 4;

    /// <summary>The full path; for a link, the path of its target, where SQLite also puts its log.</summary>
    public static string FullPath(string path)
    {
        path = Path.GetFullPath(path);
        try
        {
            return new FileInfo(path).LinkTarget is null
                ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutboxException($"the outbox {path} cannot be found: {e.Message}", OutboxFault.Unopenable, e);
        }
    }

    /// <summary>
    /// True when there is no outbox yet. Throws <see cref="OutboxException"/> when none can be opened or made.
    /// </summary>
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

        if (!IsRegular(path))
        {
            throw Unopenable($"{path} is a pipe, a socket or a device; a regular file is needed");
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
            throw SqliteErrors.Damaged(path, "it does not begin as a SQLite database does");
        }

        if (header is { ApplicationId: 0, UserVersion: 0, HasTables: false })
        {
            return true;
        }

        if (header.ApplicationId != SqliteSchema.ApplicationId)
        {
            throw new OutboxException($"{path} is a database, but not an outbox", OutboxFault.Foreign);
        }

        return header.UserVersion <= SqliteSchema.Version
            ? header is { UserVersion: 0, HasTables: false }
            : throw new OutboxException(
                $"the outbox {path} has version {header.UserVersion}, this agent knows up to {SqliteSchema.Version}: "
                + "use a newer agent",
                OutboxFault.NewerVersion);
    }

    // If the type cannot be read, opening the file reports the error.
    private static bool IsRegular(string path)
    {
        var facts = stackalloc byte[StatxBytes];
        return statx(CurrentFolder, path, 0, TypeWanted, facts) != 0
            || (*(ushort*)(facts + ModeAt) & TypeBits) == RegularFile;
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

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint wanted, byte* facts);
}
