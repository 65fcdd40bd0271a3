using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Retention;

namespace Telemetry.Tests.Cloud.Configuration;

public sealed class RetentionSectionTests
{
    [Fact]
    public void Entries_are_read_in_their_order()
    {
        var rules = Read("""
            [
              { "metric": "*", "readings": "30 d", "windows": { "1 min": "730 d", "10 s": "48 h" } },
              { "metric": "Billing.*" }
            ]
            """, out var problems);

        Assert.Empty(problems);
        Assert.Equal(["*", "Billing.*"], rules.All.Select(r => r.Metric.Text));
        Assert.Equal(TimeSpan.FromDays(30), rules.All[0].Readings);
        Assert.Equal(
            [(10, TimeSpan.FromDays(2)), (60, TimeSpan.FromDays(730))],
            rules.All[0].Windows.Select(w => (w.Key, w.Value)).Order());
        Assert.Null(rules.All[1].Readings);
        Assert.Empty(rules.All[1].Windows);
    }

    [Fact]
    public void Entries_beyond_the_ninth_are_in_their_order_too()
    {
        var entries = Enumerable.Range(0, 12).Select(i => $$"""{ "metric": "m{{i}}", "readings": "{{i + 1}} d" }""");

        var rules = Read($"[{string.Join(',', entries)}]", out var problems);

        Assert.Empty(problems);
        Assert.Equal(Enumerable.Range(1, 12), rules.All.Select(r => r.Readings!.Value.Days));
    }

    [Fact]
    public void Everything_is_kept_without_entries() => Assert.Same(RetentionRules.None, Read("[]", out _));

    [Theory]
    [InlineData("""{ "readings": "30 d" }""", "0.metric: is missing; use * for every metric")]
    [InlineData("""{ "metric": "" }""", "0.metric: '' is not allowed; use 1 to 256 bytes without control characters")]
    [InlineData("""{ "metric": "a\u0000" }""", "0.metric: ")]
    [InlineData(
        """{ "metric": "a", "readings": "23 h" }""",
        "0.readings: '23 h' is not allowed; use 1 d to 10000 d; leave it out to keep for ever")]
    [InlineData("""{ "metric": "a", "readings": "10001 d" }""", "0.readings: '10001 d' is not allowed; use 1 d to ")]
    [InlineData("""{ "metric": "a", "readings": "for ever" }""", "0.readings: 'for ever' is not allowed; use 1 d to ")]
    [InlineData("""{ "metric": "a", "readings": 30 }""", "0.readings: '30' is not allowed; use 1 d to ")]
    [InlineData(
        """{ "metric": "a", "windows": { "7 s": "1 d" } }""", "0.windows.7 s: is not a width of windows; use 1 s, ")]
    [InlineData(
        """{ "metric": "a", "windows": { "1 min": "1 s" } }""", "0.windows.1 min: '1 s' is not allowed; use 1 d")]
    [InlineData(
        """{ "metric": "a", "windows": { "1 min": "1 d", "60 s": "2 d" } }""", "0.windows.60 s: is set twice")]
    [InlineData("""{ "metric": "a", "windows": "1 d" }""", "0.windows: is not a key of this program; use metric, ")]
    [InlineData("""{ "metric": "a", "keep": "1 d" }""", "0.keep: is not a key of this program; use metric, ")]
    [InlineData("""{ "metric": "a" }, { "metric": "a" }""", "1.metric: 'a' has an entry already")]
    [InlineData("\"30 d\"", "0: is not allowed; use a list of entries with a metric each")]
    public void Nonsense_is_refused(string entries, string problem)
    {
        Read($"[{entries}]", out var problems);

        Assert.StartsWith(
            $"processor.retention.{problem}", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Something_else_than_a_list_is_refused()
    {
        Read("""{ "metric": "a" }""", out var problems);
        Assert.Equal(
            ["processor.retention.metric: is not allowed; use a list of entries with a metric each"], problems);

        Read("\"30 d\"", out problems);
        Assert.Equal(["processor.retention: is not a key of this program"], problems);
    }

    [Fact]
    public void More_entries_than_allowed_are_refused()
    {
        var entries = Enumerable.Range(0, 257).Select(i => $$"""{ "metric": "m{{i}}" }""");

        Read($"[{string.Join(',', entries)}]", out var problems);

        Assert.Equal(["processor.retention: has 257 entries; use at most 256"], problems);
    }

    private static RetentionRules Read(string list, out IReadOnlyList<string> problems)
    {
        var reader = new SettingsReader(SettingsTree.Parse(
            $$"""{ "processor": { "retention": {{list}} } }""", CloudConfiguration.EnvironmentPrefix,
            new System.Collections.Hashtable()));
        var rules = RetentionSection.Read(reader);
        reader.End();
        problems = reader.Problems;
        return rules;
    }
}
