namespace Telemetry.Storage.Postgres.Retention;

/// <summary>Rows of one series and month that were removed.</summary>
/// <param name="Series">The number of the series.</param>
/// <param name="Width">The width of the windows in seconds; 0: readings.</param>
/// <param name="Month">The first day of the month of their event times, UTC.</param>
/// <param name="Count">How many readings, or parts of windows.</param>
internal readonly record struct RemovedRows(int Series, int Width, DateOnly Month, long Count);
