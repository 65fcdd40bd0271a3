using Telemetry.Integration.Alerting.Alertmanager;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>Which alerts people are to know of.</summary>
public sealed class RaisedAlertsTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(15);

    [PostgresFact]
    public async Task Pages_have_each_alert_once()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var alerts = Open(stand);
        await stand.Fire(1, 12);
        await stand.Fire(21, 32, gateway: "gw-2");
        await stand.Resolve(3, 5);
        var ids = new List<string>();
        var after = RaisedAlertKey.None;
        for (var page = await alerts.ReadAsync(Within, false, after, 7, default); page.Count > 0;)
        {
            ids.AddRange(page.Select(a => a.Id));
            page = await alerts.ReadAsync(Within, false, page[^1].Key, 7, default);
        }

        Assert.Equal(
            Enumerable.Range(1, 12).Concat(Enumerable.Range(21, 12)).Select(AlertmanagerStand.Id), ids);
    }

    [PostgresFact]
    public async Task What_was_closed_longer_ago_is_left_out_and_so_is_a_closed_one_of_which_a_newer_is_open()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var alerts = Open(stand);
        await stand.Fire(1, 3);
        await stand.Resolve(1, 2);
        await stand.FireAgain(1, 11);
        await stand.Change("UPDATE telemetry.alert SET changed_at = now() - interval '16 minutes' WHERE peak = 92");

        var found = await alerts.ReadAsync(Within, false, RaisedAlertKey.None, 100, default);
        var changed = await alerts.ReadAsync(Within, true, RaisedAlertKey.None, 100, default);

        Assert.Equal([AlertmanagerStand.Id(11), AlertmanagerStand.Id(3)], found.Select(a => a.Id));
        Assert.Equal(found.Select(a => a.Id), changed.Select(a => a.Id));
        await stand.Change("UPDATE telemetry.alert SET changed_at = now() - interval '1 hour' WHERE state = 0");
        Assert.Empty(await alerts.ReadAsync(Within, true, RaisedAlertKey.None, 100, default));
        Assert.Equal(("pump-3", "temperature", "3"), (found[1].Device, found[1].Metric, found[1].Labels["a.b"]));
    }

    [PostgresFact]
    public async Task Late_alerts_with_a_pause_between_them_are_two_outages_and_only_the_one_of_now_is_told()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var alerts = Open(stand);
        await stand.Fire(1, 4, late: true);
        await stand.Change("UPDATE telemetry.alert SET published_at = now() - interval '40 minutes'");
        await stand.Fire(11, 13, late: true);
        await stand.Change("UPDATE telemetry.alert SET published_at = now() - interval '10 minutes' WHERE peak = 101");
        await stand.Fire(21, 22, late: true, gateway: "gw-2");
        await stand.Change("UPDATE telemetry.alert SET state = 2 WHERE peak = 112");

        var found = await alerts.SummariesAsync(Within, TimeSpan.FromMinutes(5), default);

        Assert.Equal([("gw-1", 3, 3), ("gw-2", 1, 1)], found.Select(o => (o.Gateway, (int)o.Fired, (int)o.Open)));
        Assert.Equal(["too hot: pump-21 temperature"], found[1].Names);
    }

    [PostgresFact]
    public async Task Summary_waits_for_rules_that_are_run_again_but_not_for_ever()
    {
        await using var stand = await AlertmanagerStand.Create(fixture);
        await using var alerts = Open(stand);
        await stand.Fire(1, 2, late: true);
        await stand.Change("""
            INSERT INTO telemetry.alert_state (gateway, rule, series_identity, rule_version, state, instance,
                started_micros, time_micros, gap_from, gap_to)
            VALUES ('gw-1', 'r', '\x01', 1, 0, '\x00', 0, 0, 1, 2)
            """);

        Assert.Empty(await alerts.SummariesAsync(Within, TimeSpan.FromMinutes(5), default));
        await stand.Change("UPDATE telemetry.alert SET published_at = now() - interval '6 minutes'");
        Assert.Single(await alerts.SummariesAsync(Within, TimeSpan.FromMinutes(5), default));
    }

    private static PostgresRaisedAlerts Open(AlertmanagerStand stand) =>
        new(new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString });
}
