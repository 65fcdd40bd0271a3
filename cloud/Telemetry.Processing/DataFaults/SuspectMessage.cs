namespace Telemetry.Processing.DataFaults;

/// <summary>
/// What is done with a message that the database may have refused, and the database's own words. Each level rejects
/// more and writes less; beyond the last one it is the ledger's own tables that refuse, which is no frame's fault.
/// </summary>
internal readonly record struct SuspectMessage(SuspectLevel Level, string Error);

/// <summary>How far it has come with a message.</summary>
internal enum SuspectLevel
{
    /// <summary>Nothing is held against it.</summary>
    None = 0,

    /// <summary>The database is asked which of its readings it refuses; the others are stored.</summary>
    Readings,

    /// <summary>None of its readings is stored.</summary>
    Frame,

    /// <summary>
    /// Besides, neither a row of the register nor declarations: only the dead letter, and the ledger.
    /// </summary>
    Everything,
}
