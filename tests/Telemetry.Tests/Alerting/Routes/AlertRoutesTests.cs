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

    public static TheoryData<string, AlertRoute, bool> Parts => new()
    {
        { "nothing said", Route(), true },
        { "severity", Route() with { Severities = ["warning", "critical"] }, true },
        { "other severity", Route() with { Severities = ["info"] }, false },
        { "kind", Route() with { Kinds = [AlertKind.Firing] }, true },
        { "other kind", Route() with { Kinds = [AlertKind.Resolved] }, false },
        { "not late", Route() with { Late = false }, true },
        { "late", Route() with { Late = true }, false },
        { "rule", Route() with { Rule = new("too *") }, true },
        { "other rule", Route() with { Rule = new("cold*") }, false },
        { "gateway", Route() with { Gateway = new("gw-3") }, true },
        { "other gateway", Route() with { Gateway = new("gw-4") }, false },
        { "device", Route() with { Device = new("pump-*") }, true },
        { "other device", Route() with { Device = new("fan-*") }, false },
        { "metric", Route() with { Metric = new("temp*") }, true },
        { "other metric", Route() with { Metric = new("pressure") }, false },
        { "site", Route() with { Site = new("north*") }, true },
        { "other site", Route() with { Site = new("south") }, false },
        { "label", Route() with { Labels = [KeyValuePair.Create("line", new NamePattern("a*"))] }, true },
        { "other value", Route() with { Labels = [KeyValuePair.Create("line", new NamePattern("b*"))] }, false },
        { "label that lacks", Route() with { Labels = [KeyValuePair.Create("row", NamePattern.Any)] }, false },
    };

    [Theory]
    [MemberData(nameof(Parts))]
    public void Every_part_has_to_fit(string what, AlertRoute route, bool fits) =>
        Assert.True(fits == route.Fits(Alert, "north-7"), what);

    [Fact]
    public void First_route_that_fits_is_the_last_unless_it_says_continue()
    {
        var routes = new AlertRoutes(
        [
            Route("audit") with { Continue = true, Form = AlertForm.Thin },
            Route("cold") with { Rule = new("cold*") },
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
        Assert.True(new AlertRoutes([Route(), Route() with { Site = new("north") }]).AskForSites);
    }

    private static AlertRoute Route(params string[] topics) =>
        new() { Name = topics.FirstOrDefault() ?? "r", Topics = topics };
}
