namespace Telemetry.Storage.Postgres.Retention;

/// <summary>What became of a week or a chunk.</summary>
internal enum PieceOutcome
{
    /// <summary>It is still there, without what is old enough.</summary>
    Kept,

    /// <summary>It was removed as a whole.</summary>
    Dropped,

    /// <summary>It could not be locked soon; the next run tries again.</summary>
    Delayed,
}
