using System.Text;
using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Tests.Processing.Alerts.Rules;

public sealed class RuleLinesTests
{
    private const string Rules = """
        // rules
        {
          "rules": [
            { "name": "a", "match": { "metric": "m" }, "above": 1 },
            {
              "name": "b",
              "match": {
                "metric": "m",
                "labels": { "x": 1 }
              },
              "late": "1 s"
            },
            {
              "above": 2
            }
          ]
        }
        """;

    [Theory]
    [InlineData("f: rule 'a': clear: x", "f:4: rule 'a': clear: x")]
    [InlineData("f: rule 'b': late: 'x' is: y", "f:11: rule 'b': late: 'x' is: y")]
    [InlineData("f: rule 'b': match: labels: x: must", "f:9: rule 'b': match: labels: x: must")]
    [InlineData("f: rule 'b': match: device: must", "f:7: rule 'b': match: device: must")]
    [InlineData("f: rule 3: name: is missing", "f:13: rule 3: name: is missing")]
    [InlineData("f: rule 3: above: is", "f:14: rule 3: above: is")]
    [InlineData("f: rules: is missing", "f: rules: is missing")]
    public void Problem_gets_the_line_of_its_key_or_of_its_rule(string problem, string expected) =>
        Assert.Equal([expected], new RuleLines(Encoding.UTF8.GetBytes(Rules)).Add("f", [problem]));
}
