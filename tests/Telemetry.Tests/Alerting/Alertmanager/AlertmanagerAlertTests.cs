using System.Text;
using System.Text.Json;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Storage.Alerts;

namespace Telemetry.Tests.Alerting.Alertmanager;

/// <summary>What an Alertmanager is told of an alert.</summary>
public sealed class AlertmanagerAlertTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AlertmanagerOptions Options = new() { Dashboard = new Uri("https://fleet.example/") };

    [Fact]
    public void Open_alert_ends_some_minutes_ahead_unless_it_is_sent_again()
    {
        var alert = AlertmanagerAlert.Of(Raised(), Options, Now);

        Assert.Equal(Now.AddMinutes(-5), alert.StartsAt);
        Assert.Equal(Now.AddMinutes(4), alert.EndsAt);
        Assert.Equal("https://fleet.example/alerts?gateway=gw-1", alert.Link);
    }

    [Fact]
    public void Closed_alert_has_its_end()
    {
        var alert = AlertmanagerAlert.Of(
            Raised() with { State = AlertInstanceState.Resolved, EndedMicros = Micros(Now.AddMinutes(-2)) }, Options,
            Now);

        Assert.Equal(Now.AddMinutes(-2), alert.EndsAt);
    }

    [Fact]
    public void Retracted_alert_ends_when_it_was_retracted_and_says_so()
    {
        var alert = AlertmanagerAlert.Of(Raised() with { State = AlertInstanceState.Retracted }, Options, Now);

        Assert.Equal(Now.AddMinutes(-1), alert.EndsAt);
        Assert.Contains("no such alert", alert.Annotations["retracted"], StringComparison.Ordinal);
    }

    [Fact]
    public void Closed_alert_of_a_clock_that_is_ahead_is_over_and_does_not_end_before_it_starts()
    {
        var alert = AlertmanagerAlert.Of(
            Raised() with
            {
                State = AlertInstanceState.Resolved,
                FiredMicros = Micros(Now.AddMinutes(5)),
                EndedMicros = Micros(Now.AddMinutes(6)),
            },
            Options, Now);

        Assert.Equal((Now, Now), (alert.StartsAt, alert.EndsAt));
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void Time_of_no_calendar_is_limited(long micros)
    {
        var alert = AlertmanagerAlert.Of(Raised() with { FiredMicros = micros, BeganMicros = micros }, Options, Now);

        Assert.True(alert.StartsAt <= Now);
    }

    [Fact]
    public void Labels_are_rule_severity_place_and_those_of_the_series()
    {
        var alert = AlertmanagerAlert.Of(Raised(), Options, Now);

        Assert.Equal(
            "alertname=too hot,device=pump,gateway=gw-1,line=a7,metric=temperature,severity=critical,site=north",
            Shown(alert.Labels));
    }

    [Fact]
    public void Names_of_labels_that_are_ours_or_not_allowed_are_changed_and_the_series_is_named()
    {
        var alert = AlertmanagerAlert.Of(
            Raised() with
            {
                Site = "",
                Labels = new SortedDictionary<string, string>(StringComparer.Ordinal)
                {
                    ["a.b"] = "1",
                    ["a-b"] = "2",
                    ["severity"] = "none",
                    ["7"] = "3",
                    ["empty"] = "",
                },
            },
            Options, Now);

        Assert.Equal(
            "_7=3,a_b=2,alertname=too hot,device=pump,gateway=gw-1,label_a_b=1,label_severity=none,"
            + "metric=temperature,series_key=0102,severity=critical",
            Shown(alert.Labels));
    }

    [Fact]
    public void Summary_of_an_outage_names_ten_and_the_number_of_the_others()
    {
        var names = Enumerable.Range(1, 10).Select(i => $"hot: pump-{i} temperature").ToArray();
        var outage = new OutageSummary(
            "gw-1", 12, 1, Now.AddMinutes(-3), Now.AddMinutes(-2), Micros(Now.AddHours(-6)), Micros(Now.AddHours(-1)),
            names)
        {
            Sites = ["north"],
        };

        var alert = AlertmanagerAlert.Of(outage, Options, Now);

        Assert.Equal("alertname=TelemetryOutageSummary,gateway=gw-1,severity=info,site=north", Shown(alert.Labels));
        Assert.Equal("While gw-1 was away, 12 alerts fired and 11 resolved; 1 are open", alert.Annotations["summary"]);
        Assert.Equal($"{string.Join('\n', names)}\nand 2 more", alert.Annotations["alerts"]);
        Assert.Equal((Now.AddMinutes(-3), Now.AddMinutes(13)), (alert.StartsAt, alert.EndsAt));
    }

    [Fact]
    public void Body_is_a_list_as_the_api_takes_it()
    {
        var json = AlertmanagerAlert.ToJson([AlertmanagerAlert.Of(Raised(), Options, Now)]);

        using var body = JsonDocument.Parse(json);
        var alert = Assert.Single(body.RootElement.EnumerateArray());
        Assert.Equal("2026-01-01T11:55:00.000000Z", alert.GetProperty("startsAt").GetString());
        Assert.Equal("2026-01-01T12:04:00.000000Z", alert.GetProperty("endsAt").GetString());
        Assert.Equal("too hot", alert.GetProperty("labels").GetProperty("alertname").GetString());
        Assert.Equal("0a", alert.GetProperty("annotations").GetProperty("id").GetString());
        Assert.DoesNotContain("<", Encoding.UTF8.GetString(json.Span), StringComparison.Ordinal);
    }

    private static RaisedAlert Raised() => new(
        new RaisedAlertKey("gw-1", "too hot", new byte[] { 1, 2 }, "critical"), "0a", AlertInstanceState.Firing,
        Micros(Now.AddMinutes(-6)), Micros(Now.AddMinutes(-5)), null, Now.AddMinutes(-1), 95.5)
    {
        Device = "pump",
        Metric = "temperature",
        Site = "north",
        Labels = new SortedDictionary<string, string> { ["line"] = "a7" },
    };

    private static long Micros(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / 10;

    private static string Shown(IReadOnlyDictionary<string, string> labels) =>
        string.Join(',', labels.Select(l => $"{l.Key}={l.Value}"));
}
