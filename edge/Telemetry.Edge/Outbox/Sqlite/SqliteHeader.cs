using System.Buffers.Binary;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// The header of a SQLite file, read byte by byte (file format, chapters 1.3 and 4.1), so that nothing is changed
/// before it is known which gateway owns the file. If its write-ahead log has a newer first page, that page counts.
/// </summary>
internal readonly record struct SqliteHeader(uint ApplicationId, uint UserVersion, int PageBytes, bool HasTables)
{
    private const int Bytes = 100, WalHeaderBytes = 32, WalFrameHeaderBytes = 24;
    private const uint WalMagic = 0x377f0682;

    /// <summary>Reads it; null when the file is not a SQLite file.</summary>
    public static SqliteHeader? Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var head = new byte[Bytes + 8];
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length
            || !head.AsSpan(0, 16).SequenceEqual("SQLite format 3\0"u8))
        {
            return null;
        }

        var pageBytes = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(16));
        return Of(LastPageOne(path + "-wal") ?? head, pageBytes == 1 ? 65536 : pageBytes);
    }

    /// <summary>True when there is a write-ahead log that is not empty.</summary>
    public static bool HasLog(string path)
    {
        var wal = new FileInfo(path + "-wal");
        if (!wal.Exists || wal.Length <= WalHeaderBytes)
        {
            return false;
        }

        Span<byte> magic = stackalloc byte[4];
        using var file = new FileStream(wal.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.ReadExactly(magic);
        return (BinaryPrimitives.ReadUInt32BigEndian(magic) & ~1u) == WalMagic;
    }

    private static SqliteHeader Of(byte[] page, int pageBytes) => new(
        BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(68)),
        BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(60)),
        pageBytes,
        // The root page of sqlite_master: a leaf page without cells means that there are no tables.
        page[Bytes] != 0x0d || BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(Bytes + 3)) > 0);

    // The header of the first page as of the log's last commit; null when the log does not contain that page.
    private static byte[]? LastPageOne(string wal)
    {
        if (!File.Exists(wal))
        {
            return null;
        }

        using var file = new FileStream(wal, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var header = new byte[WalHeaderBytes];
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            || (BinaryPrimitives.ReadUInt32BigEndian(header) & ~1u) != WalMagic)
        {
            return null;
        }

        var pageBytes = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(8));
        byte[]? committed = null, open = null;
        var frame = new byte[WalFrameHeaderBytes + Bytes + 8];
        for (long at = WalHeaderBytes; ; at += WalFrameHeaderBytes + pageBytes)
        {
            file.Position = at;
            if (pageBytes < 512 || file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) < frame.Length
                || !frame.AsSpan(8, 8).SequenceEqual(header.AsSpan(16, 8)))
            {
                return committed;
            }

            open = BinaryPrimitives.ReadUInt32BigEndian(frame) == 1 ? frame[WalFrameHeaderBytes..] : open;
            committed = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) > 0 ? open : committed;
        }
    }
}
