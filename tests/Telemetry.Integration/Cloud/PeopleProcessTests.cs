using System.Text.Json;
using System.Text.Json.Nodes;
using Telemetry.Integration.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Cloud;

/// <summary>A process whose role is to bring alerts to people, without Kafka.</summary>
public sealed class PeopleProcessTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [PostgresFact]
    public async Task Relay_without_kafka_tells_alertmanagers_and_webhooks_and_says_what_keeps_it()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await using var alertmanager = await HttpReceiver.StartAsync();
        await using var tickets = await HttpReceiver.StartAsync();
        await using var folder = new TemporaryFolder();
        await using var cloud = new CloudProcess("nats://127.0.0.1:1", database.ConnectionString);
        await File.WriteAllTextAsync(folder.At("secret"), "a secret of the test");
        await File.WriteAllTextAsync(folder.At("webhooks.json"), $$"""
            {
              "webhooks": [
                {
                  "name": "tickets", "url": {{JsonSerializer.Serialize(tickets.Address.AbsoluteUri)}},
                  "secretFile": {{JsonSerializer.Serialize(folder.At("secret"))}}
                }
              ]
            }
            """);
        var settings = JsonNode.Parse(cloud.Configuration)!.AsObject();
        settings["role"] = "relay";
        settings["webhooks"] = new JsonObject { ["file"] = folder.At("webhooks.json") };
        settings["alertmanager"] = new JsonObject { ["servers"] = new JsonArray(alertmanager.Address.AbsoluteUri) };
        cloud.Configuration = settings.ToJsonString();
        await cloud.Start();
        await cloud.WaitUntilReady();
        while (await database.Row("SELECT count(*) FROM telemetry.webhook WHERE begun") == "0")
        {
            await database.Pause();
        }

        await database.Execute("""
            INSERT INTO telemetry.alert
            VALUES ('\x01', 'gw-1', 'too hot', '\x02', 1, 'critical', 0, 1, 2, NULL, 3, false, 0, 0, 0, 1, now(), now())
            """);
        await using (var connection = await database.OpenConnection())
        {
            await ScriptedOutbox.AppendAsync(connection, [AlertSamples.Row(0, AlertHead.None)], default);
        }

        while (alertmanager.Requests.Count == 0 || tickets.Requests.Count == 0)
        {
            await database.Pause();
        }

        (alertmanager.Answer, tickets.Answer) = (_ => 500, _ => 500);
        await using (var connection = await database.OpenConnection())
        {
            await ScriptedOutbox.AppendAsync(
                connection, [AlertSamples.Row(0, AlertSamples.Rows(0, 1)[0].Head)], default);
        }

        await cloud.WaitUntilNotReady("alertmanager: ");
        await cloud.WaitUntilNotReady("webhooks: tickets: answered 500");
        var (_, metrics) = await cloud.Get("/metrics");
        Assert.Contains("telemetry_webhook_events_total", metrics, StringComparison.Ordinal);
        Assert.Contains("telemetry_alertmanager_requests_total", metrics, StringComparison.Ordinal);
    }
}
