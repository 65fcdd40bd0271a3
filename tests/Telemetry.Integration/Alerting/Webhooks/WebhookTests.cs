using System.Globalization;
using System.Text.Json;
using Telemetry.Alerting.Routes;
using Telemetry.Alerting.Webhooks;
using Telemetry.Cloud.Commands.Webhooks;
using Telemetry.Cloud.Configuration;
using Telemetry.Integration.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting.Webhooks;

/// <summary>What a receiver gets of the alert outbox, whatever it answers.</summary>
public sealed class WebhookTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [PostgresFact]
    public async Task Transitions_after_the_beginning_are_sent_once_each_in_the_order_of_their_partition()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Append(0, 7);
        await stand.Run(stand.Webhook);
        await stand.Append(0, 250);
        await stand.Append(3, 20);
        await stand.UntilDone(0, 257);
        await stand.UntilDone(3, 20);

        Assert.Equal(WebhookStand.Ids(0, 8, 257), stand.Received.Where(id => id[15] == '0'));
        Assert.Equal(WebhookStand.Ids(3, 1, 20), stand.Received.Where(id => id[15] == '3'));
        Assert.Null(stand.Sender!.Problem);
    }

    [PostgresFact]
    public async Task Event_is_a_signed_cloud_event()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Run(stand.Webhook);
        await stand.Append(0, 1);
        await stand.UntilDone(0, 1);

        var request = Assert.Single(stand.Receiver.Requests);
        Assert.Equal("application/cloudevents+json; charset=utf-8", request.Headers["Content-Type"]);
        Assert.Equal("telemetry.alert.firing.v1", WebhookStand.Text(request, "type"));
        Assert.Equal("1.0", WebhookStand.Text(request, "specversion"));
        using var json = JsonDocument.Parse(request.Body);
        Assert.Equal("pump-0-1", json.RootElement.GetProperty("data").GetProperty("device").GetString());
        var time = long.Parse(request.Headers[WebhookSignature.TimeHeader], CultureInfo.InvariantCulture);
        Assert.Equal(
            WebhookSignature.Of([WebhookStand.Secret], time, request.Body), request.Headers[WebhookSignature.Header]);
    }

    [PostgresTheory]
    [InlineData(500)]
    [InlineData(429)]
    [InlineData(404)]
    [InlineData(0)]
    public async Task Event_that_is_not_taken_is_sent_again_and_none_overtakes_it(int status)
    {
        await using var stand = await WebhookStand.Create(fixture);
        var attempts = 0;
        stand.Receiver.Answer = _ => ++attempts % 3 == 0 ? 204 : status;
        await stand.Run(stand.Webhook with { Timeout = TimeSpan.FromSeconds(status == 0 ? 1 : 10) });
        await stand.Append(0, 4);
        await stand.UntilDone(0, 4);

        Assert.Equal(WebhookStand.Ids(0, 1, 4).SelectMany(id => Enumerable.Repeat(id, 3)), stand.Received);
        Assert.Equal((4, 8), (stand.Counters.Sent, stand.Counters.Failed));
    }

    [PostgresFact]
    public async Task Receiver_that_fails_is_told_once_and_so_is_its_return()
    {
        await using var stand = await WebhookStand.Create(fixture);
        stand.Receiver.Answer = _ => 503;
        await stand.Run(stand.Webhook);
        await stand.Append(0, 1);
        await WebhookStand.Until(() => Task.FromResult(stand.Counters.Failed > 4), "it fails");

        Assert.Contains("tickets: answered 503", stand.Sender!.Problem, StringComparison.Ordinal);
        Assert.Equal(1, stand.Log.Lines);
        stand.Receiver.Answer = _ => 200;
        await stand.UntilDone(0, 1);
    }

    [PostgresFact]
    public async Task Pause_that_the_receiver_asks_for_is_kept_up_to_the_longest()
    {
        await using var stand = await WebhookStand.Create(fixture);
        (stand.Receiver.Answer, stand.Receiver.RetryAfter) = (_ => 429, "86400");
        await stand.Run(stand.Webhook);
        await stand.Append(0, 1);
        await WebhookStand.Until(() => Task.FromResult(stand.Counters.Failed > 2), "it is tried again");
    }

    [PostgresFact]
    public async Task Another_process_goes_on_where_the_first_one_ended()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Run(stand.Webhook);
        await stand.Append(0, 40);
        await stand.UntilDone(0, 40);
        await stand.Stop();
        await stand.Append(0, 40);
        await stand.Run(stand.Webhook, WebhookStand.Options with { Owner = "b" });
        await stand.UntilDone(0, 80);

        Assert.Equal(WebhookStand.Ids(0, 1, 80), stand.Received);
    }

    [PostgresFact]
    public async Task Process_stands_by_while_another_one_has_the_lease()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Run(stand.Webhook);
        await using var other = new Telemetry.Storage.Postgres.Alerts.PostgresWebhookOutbox(
            new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString });

        Assert.False(await other.TakeLeaseAsync("tickets", 1, "b", TimeSpan.FromMinutes(1), default));
        Assert.False(await other.NoteAsync("tickets", 1, new Dictionary<int, long> { [0] = 9 }, [], default));
        await stand.Stop();
        Assert.True(await other.TakeLeaseAsync("tickets", 1, "b", TimeSpan.FromMinutes(1), default));
    }

    [PostgresFact]
    public async Task Too_many_in_a_minute_are_told_by_one_summary()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Run(stand.Webhook with { PerMinute = 4 });
        await stand.Append(0, 100);
        await stand.UntilDone(0, 100);

        Assert.Equal(WebhookStand.Ids(0, 1, 4), stand.Received.Take(4));
        Assert.Equal(5, stand.Received.Count);
        var summary = stand.Receiver.Requests[4];
        Assert.Equal("telemetry.alert.summary.v1", WebhookStand.Text(summary, "type"));
        using var json = JsonDocument.Parse(summary.Body);
        var data = json.RootElement.GetProperty("data");
        Assert.Equal(76, data.GetProperty("transitions").GetInt64());
        Assert.Equal(10, data.GetProperty("first").GetArrayLength());
        Assert.Equal("too hot resolved: pump-0-6 temperature of gw-0", data.GetProperty("first")[0].GetString());
        Assert.Equal(76, stand.Counters.Held);
    }

    [PostgresFact]
    public async Task Site_and_lateness_choose()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Database.Execute("""
            INSERT INTO telemetry.device_metadata (gateway, device, site, time_zone)
            VALUES ('gw-0', 'pump-0-5', 'north', 'UTC'), ('gw-0', 'pump-0-3', 'north', 'UTC')
            """);
        await stand.Run(stand.Webhook with { Match = new TransitionMatch { Site = new("north"), Late = true } });
        await stand.Append(0, 20);
        await stand.UntilDone(0, 20);

        Assert.Equal(
            [AlertSamples.Transition(0, 5).Id, AlertSamples.Transition(0, 10).Id], stand.Received);
    }

    [PostgresFact]
    public async Task What_is_given_up_is_a_dead_letter_that_an_operator_sends_again_or_discards()
    {
        await using var stand = await WebhookStand.Create(fixture);
        stand.Receiver.Answer = _ => 500;
        await stand.Run(stand.Webhook with { GiveUpAfter = TimeSpan.FromMilliseconds(400) });
        await stand.Append(0, 4);
        await stand.UntilDone(0, 4);

        Assert.Equal(4, stand.Counters.GivenUp);
        Assert.Equal("4|answered 500", await stand.Database.Row(
            "SELECT count(*), max(error) FROM telemetry.webhook_dead_letter WHERE webhook = 'tickets'"));
        Assert.Contains("answered 500", (await Command(stand, new() { Verb = "list" })).Text, StringComparison.Ordinal);
        Assert.Contains(
            AlertSamples.Transition(0, 2).Id, (await Command(stand, new() { Verb = "show", Ids = [2] })).Text,
            StringComparison.Ordinal);
        Assert.Equal((0, "1 events discarded"), await Command(stand, new() { Verb = "discard", Ids = [1] }));
        Assert.Equal((1, "0 events discarded"), await Command(stand, new() { Verb = "discard", Ids = [1] }));

        var before = stand.Received.Count;
        stand.Receiver.Answer = _ => 200;
        Assert.Equal(
            (0, "3 events to be sent again"), await Command(stand, new() { Verb = "retry", Webhook = "tickets" }));
        await WebhookStand.Until(
            async () => await stand.Database.Row("SELECT count(*) FROM telemetry.webhook_dead_letter") == "0",
            "they are sent");

        Assert.Equal(WebhookStand.Ids(0, 2, 4), stand.Received.Skip(before));
    }

    [PostgresFact]
    public async Task Rows_that_were_removed_and_rows_that_cannot_be_read_keep_nothing_back()
    {
        await using var stand = await WebhookStand.Create(fixture);
        await stand.Run(stand.Webhook);
        await stand.Stop();
        await stand.Append(0, 9);
        await stand.Database.Execute("""
            DELETE FROM telemetry.alert_outbox WHERE number < 4;
            UPDATE telemetry.alert_outbox SET event = '\x00' WHERE number = 6
            """);
        await stand.Run(stand.Webhook);
        await stand.UntilDone(0, 9);

        Assert.Equal(WebhookStand.Ids(0, 4, 9).Except([AlertSamples.Transition(0, 6).Id]), stand.Received);
        Assert.Equal((3, 1), (stand.Counters.Gone, stand.Counters.Unreadable));
    }

    private static async Task<(int Code, string Text)> Command(WebhookStand stand, WebhookArguments arguments)
    {
        using var output = new StringWriter();
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString },
        };
        var code = await new WebhooksCommand(settings, output, output).RunAsync(arguments, default);
        return (code, output.ToString().TrimEnd());
    }
}
