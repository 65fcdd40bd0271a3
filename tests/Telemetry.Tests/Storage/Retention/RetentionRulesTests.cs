using Telemetry.Storage.Retention;

namespace Telemetry.Tests.Storage.Retention;

public sealed class RetentionRulesTests
{
    [Fact]
    public void Last_rule_that_fits_counts_as_a_whole()
    {
        var rules = new RetentionRules(
            [Rule("*", 30, 90), Rule("vibration.*", 7, null), Rule("vibration.rms", null, 5)]);

        Assert.Equal((30, 90), Kept(rules, "temperature"));
        Assert.Equal((7, null), Kept(rules, "vibration.x"));
        Assert.Equal((null, 5), Kept(rules, "vibration.rms"));
    }

    [Fact]
    public void Metric_that_no_rule_fits_has_none()
    {
        Assert.Null(new RetentionRules([Rule("a*", 1, 1)]).Of("b"));
        Assert.Null(RetentionRules.None.Of("b"));
    }

    private static RetentionRule Rule(string metric, int? readings, int? windows) => new(
        new(metric), readings is { } days ? TimeSpan.FromDays(days) : null,
        windows is { } kept ? new Dictionary<int, TimeSpan> { [60] = TimeSpan.FromDays(kept) } : []);

    private static (int? Readings, int? Windows) Kept(RetentionRules rules, string metric)
    {
        var rule = rules.Of(metric)!;
        return (rule.Readings?.Days, rule.Windows.TryGetValue(60, out var windows) ? windows.Days : null);
    }
}
