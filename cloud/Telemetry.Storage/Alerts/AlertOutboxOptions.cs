namespace Telemetry.Storage.Alerts;

/// <summary>How long the alert outbox keeps its rows.</summary>
public sealed record AlertOutboxOptions
{
    /// <summary>
    /// How long rows are kept after a relay has published them: after a restore of the database, the relay finds its
    /// place in Kafka's topic by them. If no relay ever published, all older rows are removed.
    /// </summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// The most rows kept for a partition if no relay ever published: beyond it the oldest are removed, which is
    /// counted and logged. With a relay nothing unpublished is ever removed; more rows than this then only cause a
    /// warning.
    /// </summary>
    public int RowsMax { get; init; } = 1_000_000;
}
