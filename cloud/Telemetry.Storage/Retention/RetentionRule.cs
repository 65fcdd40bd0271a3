using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Retention;

/// <summary>How long the readings and windows of some metrics are kept.</summary>
/// <param name="Metric">The metrics.</param>
/// <param name="Readings">For how long readings are kept; null: for ever.</param>
/// <param name="Windows">For how long windows are kept, by their width in seconds; other widths for ever.</param>
public sealed record RetentionRule(
    NamePattern Metric, TimeSpan? Readings, IReadOnlyDictionary<int, TimeSpan> Windows)
{
    /// <summary>The shortest time that can be configured.</summary>
    public static readonly TimeSpan KeepMin = TimeSpan.FromDays(1);

    /// <summary>The longest time that can be configured.</summary>
    public static readonly TimeSpan KeepMax = TimeSpan.FromDays(10_000);
}
