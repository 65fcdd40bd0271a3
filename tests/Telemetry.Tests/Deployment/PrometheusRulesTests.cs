using System.Text.RegularExpressions;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>Rules of Prometheus and panels of Grafana name metrics that exist, and runbooks that exist.</summary>
public sealed partial class PrometheusRulesTests
{
    private const string RulesFile = "deploy/prometheus/telemetry.rules.yml";

    private static readonly string Reference = Text("docs/reference/metrics.md");

    public static TheoryData<string> Files =>
        [RulesFile, .. Directory.GetFiles(Path.Combine(SourceTree.Root, "deploy/grafana"), "*.json")
            .Select(f => Path.GetRelativePath(SourceTree.Root, f))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Metrics_of_the_file_stand_in_the_reference(string file)
    {
        var names = Metric().Matches(Text(file)).Select(m => m.Value).ToHashSet();

        Assert.True(file != RulesFile || names.Count > 10, "too few metrics were found");
        Assert.All(
            names, name => Assert.True(IsDocumented(name), $"{file}: {name} is not in docs/reference/metrics.md"));
    }

    [Theory]
    [InlineData("telemetry_processor_lag_stage", true)]
    [InlineData("telemetry_processor_readings_total", true)]
    [InlineData("telemetry_ingress_appended_bytes_total", true)]
    [InlineData("telemetry_agent_disk_problems", true)]
    [InlineData("telemetry_processor_lag", false)]
    [InlineData("telemetry_processor_reading_total", false)]
    public void Reference_is_read_by_whole_names(string name, bool documented) =>
        Assert.Equal(documented, IsDocumented(name));

    [Fact]
    public void Each_alarm_has_a_runbook_and_each_is_linked()
    {
        var rules = Text(RulesFile);
        var runbooks = Runbook().Matches(rules).Select(m => m.Groups[1].Value).ToList();

        Assert.Equal(Alert().Count(rules), runbooks.Count);
        Assert.All(runbooks, name => Assert.True(
            File.Exists(Path.Combine(SourceTree.Root, "docs/runbooks", name)), $"docs/runbooks/{name} is missing"));
        var index = Text("docs/README.md");
        Assert.All(
            Directory.GetFiles(Path.Combine(SourceTree.Root, "docs/runbooks"), "*.md").Select(Path.GetFileName),
            name => Assert.Contains($"(runbooks/{name})", index, StringComparison.Ordinal));
    }

    // Instruments have dots in the reference; the text of a scrape has underscores, _total and the unit bytes.
    private static bool IsDocumented(string name)
    {
        var dotted = UnitOfName().Replace(name, "").Replace("_", "[._]", StringComparison.Ordinal);
        return Regex.IsMatch(Reference, $@"(?<![\w.]){dotted}(_bytes)?(_total)?(?![\w.]*\w)");
    }

    private static string Text(string relative) => File.ReadAllText(Path.Combine(SourceTree.Root, relative));

    [GeneratedRegex(@"\btelemetry_[a-z0-9_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("(_bytes)?(_total)?$")]
    private static partial Regex UnitOfName();

    [GeneratedRegex("runbook: ([a-z-]+[.]md)")]
    private static partial Regex Runbook();

    [GeneratedRegex("- alert: ")]
    private static partial Regex Alert();
}
