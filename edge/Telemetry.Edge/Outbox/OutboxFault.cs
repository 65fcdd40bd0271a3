namespace Telemetry.Edge.Outbox;

/// <summary>What is wrong with an outbox file or with its disk.</summary>
public enum OutboxFault
{
    /// <summary>None of the others.</summary>
    Unknown = 0,

    /// <summary>The disk has no room (SQLITE_FULL, ENOSPC).</summary>
    Full,

    /// <summary>The disk or the file cannot be written (SQLITE_READONLY, EROFS).</summary>
    ReadOnly,

    /// <summary>The disk failed (SQLITE_IOERR, EIO).</summary>
    Io,

    /// <summary>Somebody holds a lock on the file for a moment (SQLITE_BUSY).</summary>
    Busy,

    /// <summary>The file is damaged (SQLITE_CORRUPT, SQLITE_NOTADB), or what it holds does not fit together.</summary>
    Corrupt,

    /// <summary>Another process has the file open for good.</summary>
    InUse,

    /// <summary>The file is no outbox.</summary>
    Foreign,

    /// <summary>The file is another gateway's outbox.</summary>
    OtherGateway,

    /// <summary>A newer agent made the file.</summary>
    NewerVersion,

    /// <summary>The file cannot be opened: no such folder, no permission, a folder in its place.</summary>
    Unopenable,
}
