using System.Text.Json;
using Telemetry.Alerting.Webhooks;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Alerting.Webhooks;

/// <summary>The CloudEvents that receivers get.</summary>
public sealed class WebhookEventTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Event_of_a_transition_has_the_attributes_that_it_has_in_kafka_and_its_data()
    {
        var transition = AlertSamples.Transition(3, 1);
        var made = WebhookEvent.Of(3, Row(transition), "/telemetry");

        using var json = JsonDocument.Parse(made.Body);
        var root = json.RootElement;
        Assert.Equal(
            [
                "actor", "causationid", "correlationid", "data", "datacontenttype", "dataschema", "detectiondelay",
                "id", "late", "partitionkey", "sequence", "severity", "source", "specversion", "subject", "time",
                "traceparent", "type",
            ],
            root.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(transition.Id, root.GetProperty("id").GetString());
        Assert.Equal(transition.Id, made.Id);
        Assert.Equal(
            transition.Value,
            AlertTransition.FromJson(JsonSerializer.SerializeToUtf8Bytes(root.GetProperty("data"))).Value);
    }

    [Fact]
    public void Summary_has_another_id_when_it_stands_for_others()
    {
        var one = new BrakeSummary();
        one.Add(3, Row(AlertSamples.Transition(3, 1)), AlertSamples.Transition(3, 1), Now);
        var two = new BrakeSummary();
        two.Add(3, Row(AlertSamples.Transition(3, 1)), AlertSamples.Transition(3, 1), Now);
        Assert.Equal(Id(one), Id(two));

        two.Add(3, Row(AlertSamples.Transition(3, 2)), AlertSamples.Transition(3, 2), Now);

        Assert.NotEqual(Id(one), Id(two));
    }

    [Fact]
    public void Summary_is_as_old_as_its_first_transition()
    {
        var summary = new BrakeSummary();
        summary.Add(3, Row(AlertSamples.Transition(3, 1)), AlertSamples.Transition(3, 1), Now);
        summary.Add(3, Row(AlertSamples.Transition(3, 2)), AlertSamples.Transition(3, 2), Now.AddMinutes(1));

        Assert.Equal(Now.AddSeconds(-5), summary.Since);
    }

    private static string Id(BrakeSummary summary) => WebhookEvent.Of(summary, "/telemetry", Now).Id;

    private static WebhookRow Row(AlertTransition transition) =>
        new(1, transition.Id, TimeSpan.FromSeconds(5), transition.ToJson());
}
