namespace Telemetry.Edge.Outbox;

/// <summary>The ways in which an outbox file or its disk can fail.</summary>
public enum OutboxFault
{
    /// <summary>None of the other kinds.</summary>
    Unknown = 0,

    /// <summary>The disk has no space left (SQLITE_FULL, ENOSPC).</summary>
    Full,

    /// <summary>The disk or the file cannot be written (SQLITE_READONLY, EROFS).</summary>
    ReadOnly,

    /// <summary>The disk failed (SQLITE_IOERR, EIO).</summary>
    Io,

    /// <summary>Another process holds a lock on the file for a moment (SQLITE_BUSY).</summary>
    Busy,

    /// <summary>The file is damaged (SQLITE_CORRUPT, SQLITE_NOTADB), or its content is inconsistent.</summary>
    Corrupt,

    /// <summary>Another process has the file open permanently.</summary>
    InUse,

    /// <summary>The file is not an outbox.</summary>
    Foreign,

    /// <summary>The file is another gateway's outbox.</summary>
    OtherGateway,

    /// <summary>A newer agent made the file.</summary>
    NewerVersion,

    /// <summary>The file cannot be opened: no such folder, no permission, or a folder in its place.</summary>
    Unopenable,
}
