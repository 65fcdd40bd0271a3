namespace Telemetry.Storage.Retention;

/// <summary>
/// How long readings and windows are kept, by metric. Of the rules whose pattern fits a metric the last one counts, as
/// a whole: what it does not name is kept for ever. Where none fits, everything is kept for ever.
/// </summary>
public sealed class RetentionRules(IReadOnlyList<RetentionRule> all)
{
    /// <summary>The most rules.</summary>
    public const int RulesMax = 256;

    /// <summary>Everything is kept for ever.</summary>
    public static RetentionRules None { get; } = new([]);

    /// <summary>The rules, in their order.</summary>
    public IReadOnlyList<RetentionRule> All => all;

    /// <summary>The rule that counts for a metric; null when none fits.</summary>
    public RetentionRule? Of(string metric) => all.LastOrDefault(rule => rule.Metric.Fits(metric));
}
