using System.Text;
using Telemetry.Alerting.Routes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Alerting.Routes;

public sealed class AlertRoutesFileTests
{
    [Fact]
    public void Every_key_is_read()
    {
        var routes = AlertRoutesFile.Parse("r", Json("""
            { "routes": [ { "name": "night", "topics": [ "night", "wall" ], "form": "thin", "continue": true,
              "match": { "severity": [ "critical" ], "kind": [ "firing", "resolved" ], "late": false,
                "rule": "hot*", "gateway": "gw-*", "device": "pump-*", "metric": "temp*", "site": "north",
                "labels": { "line": "a*" } } } ] }
            """), out var problems);

        Assert.Empty(problems);
        var route = Assert.Single(routes!.All);
        Assert.Equal(
            ("night", AlertForm.Thin, true, (bool?)false), (route.Name, route.Form, route.Continue, route.Match.Late));
        var match = route.Match;
        Assert.Equal(["night", "wall"], route.Topics);
        Assert.Equal(["critical"], route.Match.Severities);
        Assert.Equal([AlertKind.Firing, AlertKind.Resolved], route.Match.Kinds);
        Assert.Equal(
            ["hot*", "gw-*", "pump-*", "temp*", "north"],
            ((NamePattern[])[match.Rule, match.Gateway, match.Device, match.Metric, match.Site]).Select(p => p.Text));
        Assert.Equal([KeyValuePair.Create("line", new NamePattern("a*"))], match.Labels);
    }

    [Theory]
    [InlineData("""{ "routes": [ { "topics": [ "a" ] } ] }""", "r: route 1: name: is missing or too long")]
    [InlineData("""{ "routes": [ { "name": "x" } ] }""", "r: route 1: topics: is missing")]
    [InlineData("""{ "routes": [ { "name": "x", "topics": [] } ] }""", "r: route 1: topics: has 0 topics; use 1 to 16")]
    [InlineData("""{ "routes": [ { "name": "x", "topics": [ "a b" ] } ] }""", "route 1: topics: 'a b' is not allowed")]
    [InlineData("""{ "routes": [ { "name": "x", "topics": [ 7 ] } ] }""", "route 1: topics: 7 is not allowed")]
    [InlineData(
        """{ "routes": [ { "name": "x", "topics": [ "a" ], "form": "fat" } ] }""", "route 1: form: is not allowed")]
    [InlineData(
        """{ "routes": [ { "name": "x", "topics": [ "a" ], "match": { "kind": [ "burning" ] } } ] }""",
        "route 1: match: kind: 'burning' is not allowed; use firing, resolved")]
    [InlineData(
        """{ "routes": [ { "name": "x", "topics": [ "a" ], "match": { "severity": [ "huge" ] } } ] }""",
        "route 1: match: severity: 'huge' is not allowed; use info, warning, critical")]
    [InlineData(
        """{ "routes": [ { "name": "x", "topics": [ "a" ], "match": { "sight": "n" } } ] }""",
        "route 1: match: sight: is not a known key")]
    [InlineData(
        """{ "routes": [ { "name": "x", "topics": [ "a" ] }, { "name": "x", "topics": [ "a" ] } ] }""",
        "route 2: name: 'x' is already the name of route 1")]
    public void Problem_names_the_route_and_the_key(string json, string expected)
    {
        Assert.Null(AlertRoutesFile.Parse("r", Json(json), out var problems));
        Assert.Contains(problems, p => p.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Sample_is_good()
    {
        Assert.NotNull(AlertRoutesFile.Read(Path.Combine(SourceTree.Root, "deploy/routes.json"), out var problems));
        Assert.Empty(problems);
    }

    private static byte[] Json(string json) => Encoding.UTF8.GetBytes(json);
}
