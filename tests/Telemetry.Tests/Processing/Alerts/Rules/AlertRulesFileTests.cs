using Telemetry.Model.Schemas;
using System.Text;
using Telemetry.Cloud.Commands;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Processing.Alerts.Rules.Measures;
using Telemetry.Runtime.Settings;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Processing.Alerts.Rules;

public sealed class AlertRulesFileTests
{
    private const string Least = """{"name":"hot","match":{"metric":"temperature"},"above":10}""";

    [Fact]
    public void Sample_has_every_key()
    {
        var rules = AlertRulesFile.Read(Path.Combine(SourceTree.Root, "deploy/rules.json"), out var problems);

        Assert.Empty(problems);
        var (hot, low) = (rules!.All[0], rules.All[3]);
        Assert.IsType<RateMeasure>(rules.All[1].Measure);
        var stuck = rules.All[2];
        Assert.IsType<StuckMeasure>(stuck.Measure);
        Assert.Equal((AlertSide.Above, 43_200.0, 0.0), (stuck.Side, stuck.Threshold, stuck.Clear));
        Assert.Equal(
            ("host-hot", "critical", AlertSide.Above, 80.0, 75.0), (hot.Name, hot.Severity, hot.Side, hot.Threshold,
                hot.Clear));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)), (hot.For, hot.Late));
        Assert.Equal(["sensor"], hot.Match.Labels.Select(l => l.Key));
        Assert.Equal((AlertSide.Below, 1e8, 2e8), (low.Side, low.Threshold, low.Clear));
    }

    [Fact]
    public void Least_rule_takes_the_defaults()
    {
        var rule = Assert.Single(Parse(Least, out var problems)!.All);

        Assert.Empty(problems);
        Assert.Equal(
            ("warning", 10.0, TimeSpan.Zero, TimeSpan.FromMinutes(5)), (rule.Severity, rule.Clear, rule.For,
                rule.Late));
        Assert.Equal((NamePattern.Any, NamePattern.Any), (rule.Match.Gateway, rule.Match.Device));
    }

    [Theory]
    [InlineData("""{"match":{"metric":"m"},"above":1}""", "rule 1: name: is missing")]
    [InlineData(
        """{"name":"a b","match":{"metric":"m"},"above":1}""",
        "rule 1: name: 'a b' is not allowed; use 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    [InlineData(
        """{"name":"","match":{"metric":"m"},"above":1}""",
        "rule 1: name: '' is not allowed; use 1 to 64 of the characters A-Z a-z 0-9 . _ -")]
    [InlineData("""{"name":7,"match":{"metric":"m"},"above":1}""", "rule 1: name: must be a string, not a number")]
    [InlineData("""{"name":"x","above":1}""", "rule 'x': match: is missing")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"stuck":"1 h","above":1}""",
        "rule 'x': above: is not allowed beside stuck: an alert fires when the value has not changed for that long, "
        + "and resolves when it changes")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"rate":"1 s"}""", "rule 'x': above: set exactly one of above and below")]
    [InlineData(
        """{"name":"x","match":{},"above":1}""", "rule 'x': match: metric: is missing; use * to match every metric")]
    [InlineData(
        """{"name":"x","match":{"metric":""},"above":1}""",
        "rule 'x': match: metric: '' is not allowed; use 1 to 256 bytes")]
    [InlineData("""{"name":"x","match":["metric"],"above":1}""", "rule 'x': match: must be an object, not an array")]
    [InlineData(
        """{"name":"x","match":{"metric":"m","labels":{"a":1}},"above":1}""",
        "rule 'x': match: labels: a: must be a string, not a number")]
    [InlineData(
        """{"name":"x","match":{"metric":"m","site":"s"},"above":1}""",
        "rule 'x': match: site: is not a known key; known keys: labels, gateway, device, metric")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"}}""", "rule 'x': above: set exactly one of above and below")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"below":0}""",
        "rule 'x': above: set exactly one of above and below")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":"80"}""", "rule 'x': above: must be a number, not a string")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":null}""", "rule 'x': above: must be a number, not null")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1e999}""",
        "rule 'x': above: 1e999 is not allowed; use a number between -1.79e308 and 1.79e308")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":80,"clear":80.5}""",
        "rule 'x': clear: 80.5 is not allowed; use at most 80 (the value of above), or the alert would clear "
        + "while its condition holds")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"below":-3,"clear":-4}""",
        "rule 'x': clear: -4 is not allowed; use at least -3 (the value of below), or the alert would clear "
        + "while its condition holds")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"for":"5"}""",
        "rule 'x': for: '5' is not allowed; use a time span from 0 ms to 30 d, such as 250 ms")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"for":5}""", "rule 'x': for: must be a string, not a number")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"late":"0 s"}""",
        "rule 'x': late: '0 s' is not allowed; use a time span from 1 s to 365 d, such as 250 ms")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"severity":"page"}""",
        "rule 'x': severity: 'page' is not allowed; use info, warning or critical")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"abov":1}""",
        "rule 'x': abov: is not a known key; known keys: name, severity, match, above, below, clear, for, late")]
    [InlineData(
        """{"name":"x","match":{"metric":"m"},"above":1,"above":2}""",
        "rule 'x': above: is set more than once")]
    [InlineData("7", "rule 1: must be an object, not a number")]
    [InlineData(
        """{"name":"x","match":{"metric":"m\ud800"},"above":1}""",
        "contains an escaped string that is not valid Unicode")]
    public void Wrong_rule_is_told_by_file_rule_and_key_with_what_is_allowed(string rule, string problem)
    {
        Assert.Null(Parse(rule, out var problems));
        Assert.Contains(problems, p => p.StartsWith($"rules.json: {problem}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "cannot be read as JSON: ")]
    [InlineData("rules: []", "cannot be read as JSON: ")]
    [InlineData("[]", "must be an object, not an array")]
    [InlineData("{}", "rules: is missing")]
    [InlineData("""{"rules":{}}""", "rules: must be an array, not an object")]
    [InlineData("""{"rules":[],"more":1}""", "more: is not a known key; known keys: rules")]
    [InlineData("""{"rules":[[[[[[[[[[1]]]]]]]]]]}""", "cannot be read as JSON: ")]
    public void Wrong_file_is_told(string json, string problem)
    {
        Assert.Null(AlertRulesFile.Parse("rules.json", Encoding.UTF8.GetBytes(json), out var problems));
        Assert.Contains(problems, p => p.StartsWith($"rules.json: {problem}", StringComparison.Ordinal));
    }

    [Fact]
    public void Name_is_allowed_once()
    {
        Assert.Null(Parse($"{Least},{Least}", out var problems));
        Assert.Equal(["rules.json: rule 2: name: 'hot' is already the name of rule 1; use each name once"], problems);
    }

    [Fact]
    public void File_that_is_cut_anywhere_gives_a_problem_and_no_rules()
    {
        var whole = Encoding.UTF8.GetBytes($"{{\"rules\":[{Least}]}}");
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Null(AlertRulesFile.Parse("rules.json", whole.AsMemory(0, length), out var problems));
            Assert.NotEmpty(problems);
        }

        Assert.NotNull(AlertRulesFile.Parse("rules.json", whole, out _));
    }

    [Fact]
    public void File_with_any_byte_changed_gives_rules_or_problems_and_nothing_else()
    {
        var bytes = File.ReadAllBytes(Path.Combine(SourceTree.Root, "deploy/rules.json"));
        var random = new Random(3);
        for (var i = 0; i < 3_000; i++)
        {
            var changed = bytes.ToArray();
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            var rules = AlertRulesFile.Parse("rules.json", changed, out var problems);
            Assert.Equal(rules is null, problems.Count > 0);
        }
    }

    [Fact]
    public void Too_many_rules_and_too_many_bytes_are_refused()
    {
        var rules = Enumerable.Range(0, AlertRulesFile.RulesMax + 1)
            .Select(i => Least.Replace("hot", $"hot{i}", StringComparison.Ordinal));
        Assert.Null(Parse(string.Join(',', rules), out var problems));
        Assert.Equal(["rules.json: rules: has 257 rules; use at most 256"], problems);

        Assert.Null(Parse(Least + new string(' ', JsonFile.BytesMax), out problems));
        Assert.Equal(["rules.json: is larger than 1048576 bytes; use a file of at most that size"], problems);
    }

    [Fact]
    public void Problems_are_told_up_to_a_limit_and_counted_beyond()
    {
        Assert.Null(Parse(string.Join(',', Enumerable.Repeat("1", 60)), out var problems));
        Assert.Equal(JsonFile.ProblemsMax + 1, problems.Count);
        Assert.Equal("rules.json: and 10 more problems", problems[^1]);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        Assert.Null(AlertRulesFile.Parse("rules.json", (byte[])[(byte)'{', 0xC3, 0x28], out var problems));
        Assert.Equal(["rules.json: is not valid UTF-8"], problems);
    }

    [Fact]
    public void Version_follows_from_all_that_the_rule_says()
    {
        var rule = SampleRules.Hot();
        AlertRule[] others =
        [
            rule with { Name = "warm" }, rule with { Severity = "info" }, rule with { Match = SampleRules.On("*") },
            rule with { Side = AlertSide.Below, Clear = 10 }, rule with { Threshold = 11 }, rule with { Clear = 4 },
            rule with { For = TimeSpan.FromSeconds(1) }, rule with { Late = TimeSpan.FromSeconds(1) },
            rule with { Match = rule.Match with { Labels = [new("a", NamePattern.Any)] } },
        ];

        Assert.Equal(rule.Version, SampleRules.Hot().Version);
        Assert.Equal(
            others.Length + 1, others.Select(r => (r with { }).Version).Append(rule.Version).Distinct().Count());
    }

    [Theory]
    [InlineData("deploy/rules.json", true)]
    [InlineData("deploy/telemetry.json", false)]
    [InlineData("deploy/no-such.json", false)]
    [InlineData("deploy", false)]
    public void Command_says_whether_a_file_is_good(string file, bool good)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        Assert.Equal(good, RulesCommand.Check(Path.Combine(SourceTree.Root, file), output, errors));

        Assert.Contains(file, (good ? output : errors).ToString(), StringComparison.Ordinal);
        Assert.Empty((good ? errors : output).ToString());
    }

    private static AlertRules? Parse(string rules, out IReadOnlyList<string> problems) =>
        AlertRulesFile.Parse("rules.json", Encoding.UTF8.GetBytes($"{{\"rules\":[{rules}]}}"), out problems);
}
