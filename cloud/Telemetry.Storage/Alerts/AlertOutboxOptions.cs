namespace Telemetry.Storage.Alerts;

/// <summary>How long the alert outbox keeps its rows.</summary>
public sealed record AlertOutboxOptions
{
    /// <summary>
    /// Rows that a relay has published are kept this long: with them it finds, when a database was put back, where it
    /// stands in Kafka's topic. Where no relay ever published, all older rows go.
    /// </summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Rows kept of a partition where no relay ever published: beyond, the oldest go, which is counted and logged. With
    /// a relay nothing unpublished ever goes; then more rows than these are a warning.
    /// </summary>
    public int RowsMax { get; init; } = 1_000_000;
}
