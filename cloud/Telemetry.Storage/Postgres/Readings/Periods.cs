namespace Telemetry.Storage.Postgres.Readings;

/// <summary>How long partitions are.</summary>
internal static class Periods
{
    public static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public static readonly TimeSpan Week = TimeSpan.FromDays(7);
}
