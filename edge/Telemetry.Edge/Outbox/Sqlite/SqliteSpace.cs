using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Makes sure that a full disk can be drained: the space that a commit with frees or seals needs is allocated
/// beforehand and never given back. It consists of the write-ahead log at its usual size, which is kept after closing;
/// a row that holds pages in reserve; and each page of the file before SQLite may use it, so that the log can always be
/// written back. Used on the file's thread.
/// </summary>
internal sealed class SqliteSpace : IDisposable
{
    // The file grows in steps of this size; this concerns the space on the disk, not what is written.
    private const int ChunkBytes = 256 * 1024;

    // With less room for readings than this, the disk still counts as full.
    private const int RoomBytesMin = 128 * 1024;

    private const int WalHeaderBytes = 32;

    // Frames use the rows from 1.
    private const string ReserveRow = "-1";

    private readonly SqliteConnection _connection;
    private readonly SqliteOutboxOptions _options;
    private readonly FileInfo _file;
    private readonly FileInfo _wal;
    private readonly SqliteStatement _pages, _freePages, _hasReserve, _putReserve, _dropReserve, _writeBack;
    private readonly long _pageBytes;
    private long _pagesMax;

    public SqliteSpace(SqliteConnection connection, string path, SqliteOutboxOptions options)
    {
        _connection = connection;
        _options = options;
        _file = new FileInfo(path);
        _wal = new FileInfo(path + "-wal");
        _pageBytes = SqliteSchema.Number(connection, "PRAGMA page_size");
        _pages = new SqliteStatement(connection, "PRAGMA page_count");
        _freePages = new SqliteStatement(connection, "PRAGMA freelist_count");
        _hasReserve = new SqliteStatement(
            connection, $"SELECT count(*) FROM frame_bytes WHERE id = {ReserveRow} AND length(data) >= $0", 1);
        _putReserve = new SqliteStatement(
            connection, $"INSERT OR REPLACE INTO frame_bytes VALUES ({ReserveRow}, NULL, zeroblob($0))", 1);
        _dropReserve = new SqliteStatement(connection, $"DELETE FROM frame_bytes WHERE id = {ReserveRow}");
        _writeBack = new SqliteStatement(connection, "PRAGMA wal_checkpoint(RESTART)");
        Prepare();
    }

    /// <summary>True while the whole reserve exists.</summary>
    public bool ReserveKept { get; private set; }

    /// <summary>The space that the file uses on the disk now.</summary>
    public OutboxSpace Measure()
    {
        var (pages, free) = (_pages.Number(), _freePages.Number());
        _wal.Refresh();
        var missing = ReserveKept ? 0 : _options.ReserveBytes;
        var room = ((_pagesMax - pages + free) * _pageBytes) - missing;
        var wal = _wal.Exists ? _wal.Length : 0;
        var ahead = HasReserve ? ChunkBytes : 0;
        return new OutboxSpace(((pages - free) * _pageBytes) + ahead + missing + wal, room >= RoomBytesMin);
    }

    /// <summary>
    /// Call this first inside of a transaction that brings readings: it restores the reserve that was used.
    /// </summary>
    public void KeepReserve() => _putReserve.Set(0, _options.ReserveBytes).Run();

    /// <summary>Call this first inside of a transaction that drains: it may use the reserve.</summary>
    public void UseReserve() => _dropReserve.Run();

    /// <summary>
    /// A transaction found no room and was rolled back: writes the log back, so that it starts from the beginning, and
    /// asks the disk for more space. Returns false when the disk gives none. Without a reserve SQLite itself asks the
    /// disk.
    /// </summary>
    public bool TryGrow(long bytes)
    {
        WriteBack();
        if (!HasReserve)
        {
            return true;
        }

        _file.Refresh();
        return SqliteFileControl.TryAllocate(_connection, Math.Max(_file.Length, PagesBytes()) + bytes + ChunkBytes)
            && Fence();
    }

    /// <summary>
    /// Limits SQLite to pages that the disk has allocated already; otherwise the log could not be written back on a
    /// full disk. Returns false when nothing changed. Without a reserve the file grows by itself, and no page is
    /// withheld.
    /// </summary>
    public bool Fence()
    {
        if (!HasReserve)
        {
            return false;
        }

        _file.Refresh();
        var pages = Math.Max(_file.Length / _pageBytes, 1);
        if (pages == _pagesMax)
        {
            return false;
        }

        _pagesMax = SqliteSchema.Number(
            _connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages}"));
        return true;
    }

    /// <summary>Call this after a transaction that touched the reserve, whether it succeeded or not.</summary>
    public void LookAtReserve() =>
        ReserveKept = !HasReserve || _hasReserve.Set(0, _options.ReserveBytes).Number() > 0;

    /// <summary>Writes the log back into the file; true when the log is empty afterwards.</summary>
    public bool WriteBack()
    {
        using var reader = _writeBack.Read();
        return reader.Read() && reader.GetInt64(0) == 0 && reader.GetInt64(1) == reader.GetInt64(2);
    }

    /// <summary>
    /// Call this before the file is closed. The log is kept, for the next start on a full disk, but empty: beside an
    /// older copy of the file it must have no effect.
    /// </summary>
    public void Close()
    {
        if (!HasReserve)
        {
            return;
        }

        SqliteSchema.Do(_connection, "PRAGMA journal_size_limit = -1");
        if (WriteBack())
        {
            using var wal = File.OpenHandle(_wal.FullName, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(wal, new byte[WalHeaderBytes], 0);
        }
    }

    public void Dispose()
    {
        foreach (var statement in (SqliteStatement[])
            [_pages, _freePages, _hasReserve, _putReserve, _dropReserve, _writeBack])
        {
            statement.Dispose();
        }
    }

    private bool HasReserve => _options.ReserveBytes > 0;

    private long PagesBytes() => _pages.Number() * _pageBytes;

    // On a disk that is full already none of this succeeds; it is then tried with the commits that bring readings.
    private void Prepare()
    {
        if (!HasReserve)
        {
            ReserveKept = true;
            _pagesMax = long.MaxValue / _pageBytes;
            return;
        }

        SqliteFileControl.SetChunk(_connection, ChunkBytes);
        SqliteFileControl.KeepWal(_connection);
        using (var wal = File.OpenHandle(_wal.FullName, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite))
        {
            _ = SqliteFileControl.TryAllocate(wal, RandomAccess.GetLength(wal), _options.WalBytes);
        }

        LookAtReserve();
        SqliteFileControl.TryAllocate(
            _connection, PagesBytes() + ChunkBytes + (ReserveKept ? 0 : _options.ReserveBytes));
        Fence();
    }
}
