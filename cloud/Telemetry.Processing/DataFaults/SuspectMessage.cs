namespace Telemetry.Processing.DataFaults;

/// <summary>
/// How to treat a message whose data the database may have refused, and the database's error text. Each level rejects
/// more and writes less. An error beyond the last level comes from the ledger's own tables, and no frame causes it.
/// </summary>
internal readonly record struct SuspectMessage(SuspectLevel Level, string Error);

/// <summary>How far the treatment of a message has gone.</summary>
internal enum SuspectLevel
{
    /// <summary>Nothing is known against the message.</summary>
    None = 0,

    /// <summary>The database is asked which of its readings it refuses; the others are stored.</summary>
    Readings,

    /// <summary>None of its readings is stored.</summary>
    Frame,

    /// <summary>
    /// In addition, neither a row of the register nor declarations are written: only the dead letter and the ledger.
    /// </summary>
    Everything,
}
