using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// What SQLite offers for a file's space beyond SQL (sqlite3_file_control), and the system's call to allocate space.
/// </summary>
internal static unsafe partial class SqliteFileControl
{
    // SQLITE_FCNTL_SIZE_HINT, SQLITE_FCNTL_CHUNK_SIZE, SQLITE_FCNTL_PERSIST_WAL
    private const int SizeHint = 5, ChunkSize = 6, PersistWal = 10;

    /// <summary>From now on the file's length is a multiple of so many bytes, whatever it holds.</summary>
    public static void SetChunk(SqliteConnection connection, int bytes) => Call(connection, ChunkSize, &bytes);

    /// <summary>Closing the file leaves the write-ahead log where it is.</summary>
    public static void KeepWal(SqliteConnection connection)
    {
        var keep = 1;
        Call(connection, PersistWal, &keep);
    }

    /// <summary>Allocates the file's space up to a length; false when the disk does not give it.</summary>
    public static bool TryAllocate(SqliteConnection connection, long bytes) => Call(connection, SizeHint, &bytes);

    /// <summary>Allocates space of any other file; false when the disk does not give it.</summary>
    public static bool TryAllocate(SafeFileHandle file, long from, long to) =>
        to <= from || posix_fallocate(file, (nint)from, (nint)(to - from)) == 0;

    private static bool Call(SqliteConnection connection, int operation, void* argument) =>
        sqlite3_file_control(connection.Handle!.DangerousGetHandle(), IntPtr.Zero, operation, argument) == 0;

    // The library that the package's own calls go to. No name: the main database.
    [LibraryImport("e_sqlite3")]
    private static partial int sqlite3_file_control(IntPtr connection, IntPtr name, int operation, void* argument);

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle file, nint offset, nint length);
}
