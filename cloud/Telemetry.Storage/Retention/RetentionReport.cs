namespace Telemetry.Storage.Retention;

/// <summary>What one run of retention did.</summary>
/// <param name="Readings">How many readings it removed.</param>
/// <param name="Parts">How many parts of windows it removed.</param>
/// <param name="Dropped">How many weeks or chunks it removed as a whole.</param>
/// <param name="IsDelayed">Whether the rest waits for the next run, since a query or a commit uses the oldest.</param>
/// <param name="Oldest">The beginning of the oldest week or chunk that has readings; null when there is none.</param>
public sealed record RetentionReport(long Readings, long Parts, int Dropped, bool IsDelayed, DateTime? Oldest)
{
    /// <summary>Nothing: another process does it.</summary>
    public static readonly RetentionReport Nothing = new(0, 0, 0, false, null);
}
