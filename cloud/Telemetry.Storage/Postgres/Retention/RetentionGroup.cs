namespace Telemetry.Storage.Postgres.Retention;

/// <summary>
/// The series of one gateway and metric whose readings, or whose windows of one width, are removed together.
/// </summary>
/// <param name="Gateway">The gateway.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Width">The width of the windows in seconds; 0: the readings.</param>
/// <param name="Series">The numbers of the series.</param>
/// <param name="Devices">The numbers of their devices.</param>
/// <param name="Expired">
/// What is older may be removed: it is kept for long enough, and the gateway's windows are complete until then.
/// </param>
/// <param name="Done">What is older was removed, but for what came later.</param>
internal sealed record RetentionGroup(
    string Gateway, string Metric, int Width, int[] Series, int[] Devices, DateTime Expired, DateTime Done);
