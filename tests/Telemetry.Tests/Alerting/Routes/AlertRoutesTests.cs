using Telemetry.Alerting.Routes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Alerting.Routes;

/// <summary>Which topics an alert goes to.</summary>
public sealed class AlertRoutesTests
{
    private static readonly AlertTransition Alert = AlertSamples.Transition(3, 1) with
    {
        Labels = new SortedDictionary<string, string> { ["line"] = "a7" },
    };

    public static TheoryData<string, TransitionMatch, bool> Parts => new()
    {
        { "nothing said", new(), true },
        { "severity", new() { Severities = ["warning", "critical"] }, true },
        { "other severity", new() { Severities = ["info"] }, false },
        { "kind", new() { Kinds = [AlertKind.Firing] }, true },
        { "other kind", new() { Kinds = [AlertKind.Resolved] }, false },
        { "not late", new() { Late = false }, true },
        { "late", new() { Late = true }, false },
        { "rule", new() { Rule = new("too *") }, true },
        { "other rule", new() { Rule = new("cold*") }, false },
        { "gateway", new() { Gateway = new("gw-3") }, true },
        { "other gateway", new() { Gateway = new("gw-4") }, false },
        { "device", new() { Device = new("pump-*") }, true },
        { "other device", new() { Device = new("fan-*") }, false },
        { "metric", new() { Metric = new("temp*") }, true },
        { "other metric", new() { Metric = new("pressure") }, false },
        { "site", new() { Site = new("north*") }, true },
        { "other site", new() { Site = new("south") }, false },
        { "label", new() { Labels = [KeyValuePair.Create("line", new NamePattern("a*"))] }, true },
        { "other value", new() { Labels = [KeyValuePair.Create("line", new NamePattern("b*"))] }, false },
        { "label that lacks", new() { Labels = [KeyValuePair.Create("row", NamePattern.Any)] }, false },
    };

    [Theory]
    [MemberData(nameof(Parts))]
    public void Every_part_has_to_fit(string what, TransitionMatch match, bool fits) =>
        Assert.True(fits == match.Fits(Alert, "north-7"), what);

    [Fact]
    public void First_route_that_fits_is_the_last_unless_it_says_continue()
    {
        var routes = new AlertRoutes(
        [
            Route("audit") with { Continue = true, Form = AlertForm.Thin },
            Route("cold") with { Match = new() { Rule = new("cold*") } },
            Route("hot", "audit", "wall"),
            Route("rest"),
        ]);

        Assert.Equal(
            [new("audit", AlertForm.Thin), new("hot", AlertForm.Full), new("wall", AlertForm.Full)],
            routes.Of(Alert, ""));
        Assert.Equal(["audit", "cold", "hot", "wall", "rest"], routes.Topics);
    }

    [Fact]
    public void Without_routes_there_is_the_alert_topic_alone() => Assert.Empty(AlertRoutes.None.Of(Alert, "north"));

    [Fact]
    public void Sites_are_asked_for_only_where_a_route_names_one()
    {
        Assert.False(new AlertRoutes([Route()]).AskForSites);
        Assert.True(new AlertRoutes([Route(), Route() with { Match = new() { Site = new("north") } }]).AskForSites);
    }

    private static AlertRoute Route(params string[] topics) =>
        new() { Name = topics.FirstOrDefault() ?? "r", Topics = topics };
}
