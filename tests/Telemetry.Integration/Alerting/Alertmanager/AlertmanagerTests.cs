using System.Text.Json;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Integration.Storage;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting.Alertmanager;

/// <summary>What Debian's prometheus-alertmanager lists is what the history has open.</summary>
public sealed class AlertmanagerTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [AlertmanagerFact]
    public async Task Lists_what_the_history_has_open_through_changes()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var server = await AlertmanagerServer.Start();
        await stand.Fire(1, 1200);
        await stand.Fire(2001, 2005, late: true);
        stand.Run(server.Address, new AlertmanagerOptions { PollEvery = TimeSpan.FromMilliseconds(100) });
        await UntilEqual(stand, server, 1200);

        await stand.Resolve(1, 700);
        await stand.Fire(1301, 1400);
        await UntilEqual(stand, server, 600);

        // The same series, while its earlier instance is still being sent as resolved.
        await stand.FireAgain(1, 5001);
        await UntilEqual(stand, server, 601);
        await stand.Resolve(5001, 5001);
        await UntilEqual(stand, server, 600);
        await stand.Change("UPDATE telemetry.alert SET state = 2, changed_at = now() WHERE peak = 90 + 1400");
        await UntilEqual(stand, server, 599);
        Assert.Null(stand.Sender!.Problem);
        Assert.Equal(0, stand.Counters.Failed);
    }

    [AlertmanagerFact]
    public async Task Correction_of_an_ended_instance_does_not_end_the_open_one_of_the_same_series()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var server = await AlertmanagerServer.Start();
        await stand.Fire(1, 2);
        await stand.Resolve(1, 1);
        await stand.FireAgain(1, 11);
        stand.Run(server.Address, new AlertmanagerOptions { PollEvery = TimeSpan.FromMilliseconds(100) });
        await UntilEqual(stand, server, 2);

        await stand.Database.Execute(
            "UPDATE telemetry.alert SET changed_at = now() - interval '1 hour' WHERE state = 0");
        await stand.Change("UPDATE telemetry.alert SET revision = 1, changed_at = now() WHERE state = 1");
        await stand.Fire(3, 3);
        await UntilEqual(stand, server, 3);
    }

    [AlertmanagerFact]
    public async Task Silence_holds_for_the_alert_when_it_is_sent_again()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var server = await AlertmanagerServer.Start();
        await stand.Fire(1, 3);
        stand.Run(server.Address, new AlertmanagerOptions
        {
            PollEvery = TimeSpan.FromMilliseconds(100),
            ResendEvery = TimeSpan.FromMilliseconds(500),
        });
        await UntilEqual(stand, server, 3);

        using var http = new HttpClient();
        using var silence = new StringContent($$"""
            {
              "matchers": [ { "name": "device", "value": "pump-2", "isRegex": false } ],
              "startsAt": "{{DateTime.UtcNow:O}}", "endsAt": "{{DateTime.UtcNow.AddHours(1):O}}",
              "createdBy": "test", "comment": "test"
            }
            """, System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(server.Address, "/api/v2/silences"), silence);
        Assert.True(answer.IsSuccessStatusCode);
        var sent = stand.Counters.Sent;

        await AlertmanagerStand.Until(
            async () => stand.Counters.Sent > sent + 2 && (await List(server, "silenced=false")).Count == 2
                && (await List(server, "active=true")).Count == 3,
            "the silence does not hide one alert");
        Assert.DoesNotContain(AlertmanagerStand.Id(2), await List(server, "silenced=false"));
    }

    [AlertmanagerFact]
    public async Task Late_alerts_are_one_summary_of_their_gateway_and_never_alerts()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var server = await AlertmanagerServer.Start();
        await stand.Fire(1, 2);
        await stand.Fire(11, 25, late: true, gateway: "gw-7");
        await stand.Resolve(11, 24);
        stand.Run(server.Address, new AlertmanagerOptions());
        JsonElement[] found = [];
        await AlertmanagerStand.Until(
            async () => (found = await Alerts(server, "active=true")).Length == 3, "three alerts");

        var summary = Assert.Single(found, a => Label(a, "alertname") == AlertmanagerAlert.SummaryName);
        Assert.Equal("gw-7", Label(summary, "gateway"));
        var words = summary.GetProperty("annotations");
        Assert.Equal(
            "While gw-7 was away, 15 alerts fired and 14 resolved; 1 are open",
            words.GetProperty("summary").GetString());
        var names = words.GetProperty("alerts").GetString()!.Split('\n');
        Assert.Equal(11, names.Length);
        Assert.Equal("too hot: pump-11 temperature", names[0]);
        Assert.Equal("and 5 more", names[10]);
    }

    private static async Task UntilEqual(AlertmanagerStand stand, AlertmanagerServer server, int count)
    {
        IReadOnlyList<string> open = [], listed = [];
        await AlertmanagerStand.Until(
            async () =>
            {
                open = await stand.OpenIds();
                listed = await List(server, "active=true");
                return open.SequenceEqual(listed);
            },
            $"{count} expected");
        Assert.Equal(count, listed.Count);
    }

    private static async Task<IReadOnlyList<string>> List(AlertmanagerServer server, string filter) =>
        [.. (await Alerts(server, filter))
            .Where(a => Label(a, "alertname") != AlertmanagerAlert.SummaryName)
            .Select(a => a.GetProperty("annotations").GetProperty("id").GetString()!)
            .Order(StringComparer.Ordinal)];

    private static async Task<JsonElement[]> Alerts(AlertmanagerServer server, string filter)
    {
        using var http = new HttpClient();
        using var json = JsonDocument.Parse(
            await http.GetByteArrayAsync(new Uri(server.Address, $"/api/v2/alerts?{filter}")));
        return [.. json.RootElement.Clone().EnumerateArray()];
    }

    private static string? Label(JsonElement alert, string name) =>
        alert.GetProperty("labels").GetProperty(name).GetString();
}
