using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Functions of SQLite for a file's space that SQL does not have (sqlite3_file_control), and the system call that
/// allocates space.
/// </summary>
internal static unsafe partial class SqliteFileControl
{
    // SQLITE_FCNTL_SIZE_HINT, SQLITE_FCNTL_CHUNK_SIZE, SQLITE_FCNTL_PERSIST_WAL
    private const int SizeHint = 5, ChunkSize = 6, PersistWal = 10;

    /// <summary>
    /// From now on the length of the file is a multiple of the given number of bytes, whatever its content.
    /// </summary>
    public static void SetChunk(SqliteConnection connection, int bytes) => Call(connection, ChunkSize, &bytes);

    /// <summary>Closing the file keeps the write-ahead log.</summary>
    public static void KeepWal(SqliteConnection connection)
    {
        var keep = 1;
        Call(connection, PersistWal, &keep);
    }

    /// <summary>Allocates the space of the file up to a length; false when the disk refuses.</summary>
    public static bool TryAllocate(SqliteConnection connection, long bytes) => Call(connection, SizeHint, &bytes);

    /// <summary>Allocates space of any other file; false when the disk refuses.</summary>
    public static bool TryAllocate(SafeFileHandle file, long from, long to) =>
        to <= from || posix_fallocate(file, (nint)from, (nint)(to - from)) == 0;

    private static bool Call(SqliteConnection connection, int operation, void* argument) =>
        sqlite3_file_control(connection.Handle!.DangerousGetHandle(), IntPtr.Zero, operation, argument) == 0;

    // The library that the package itself calls. Without a name, the main database is meant.
    [LibraryImport("e_sqlite3")]
    private static partial int sqlite3_file_control(IntPtr connection, IntPtr name, int operation, void* argument);

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle file, nint offset, nint length);
}
