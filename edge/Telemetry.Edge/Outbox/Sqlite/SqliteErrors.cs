using Microsoft.Data.Sqlite;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>Translates SQLite errors into outbox faults with advice.</summary>
internal static class SqliteErrors
{
    private const int Busy = 5, Locked = 6, ReadOnly = 8, IoError = 10, Corrupt = 11, Full = 13, CannotOpen = 14,
        NotADatabase = 26;

    /// <summary>The kind of an error.</summary>
    public static OutboxFault FaultOf(SqliteException e) => e.SqliteErrorCode switch
    {
        Busy or Locked => OutboxFault.Busy,
        ReadOnly => OutboxFault.ReadOnly,
        IoError => OutboxFault.Io,
        Corrupt or NotADatabase => OutboxFault.Corrupt,
        Full => OutboxFault.Full,
        CannotOpen => OutboxFault.Unopenable,
        _ => OutboxFault.Unknown,
    };

    /// <summary>
    /// An error of a file that is open. <paramref name="isUndone"/>: its transaction was rolled back.
    /// </summary>
    public static OutboxException OfOpenFile(SqliteException e, string path, bool isUndone)
    {
        var text = $"the outbox {path} failed: {Text(e)}";
        var fault = FaultOf(e);
        return fault == OutboxFault.Unknown && !isUndone
            ? new OutboxException(text, isTransient: true, e)
            : new OutboxException(text, fault, e, isUndone);
    }

    /// <summary>An error while a file is opened.</summary>
    public static OutboxException OfOpening(SqliteException e, string path) => FaultOf(e) switch
    {
        OutboxFault.Busy => InUse(path, e),
        OutboxFault.Corrupt => Damaged(path, Text(e), e),
        OutboxFault.Unknown => new OutboxException(
            $"the outbox {path} cannot be opened: {Text(e)}", isTransient: true, e),
        var fault => new OutboxException($"the outbox {path} cannot be opened: {Text(e)}", fault, e),
    };

    public static OutboxException InUse(string path, Exception? cause = null) => new(
        $"the outbox {path} is open in another process: one agent at a time may use it", OutboxFault.InUse, cause);

    public static OutboxException Damaged(string path, string what, Exception? cause = null) => new(
        $"the outbox {path} is damaged ({what}): keep a copy of it, and move it away to begin a new one",
        OutboxFault.Corrupt,
        cause);

    // In "SQLite Error 13: 'database or disk is full'." only the quoted part carries information.
    private static string Text(SqliteException e)
    {
        var (first, last) = (e.Message.IndexOf('\''), e.Message.LastIndexOf('\''));
        return first >= 0 && last > first + 1 ? e.Message[(first + 1)..last] : e.Message;
    }
}
