using System.Text.Json.Nodes;
using Telemetry.Integration.Storage;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Storage.RetentionSample;

namespace Telemetry.Integration.Cloud;

/// <summary>The list processor.retention of a process.</summary>
public sealed class RetentionProcessTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [ServersFact(nats: true, postgres: true)]
    public async Task Process_removes_what_its_settings_do_not_keep_and_says_so()
    {
        await using var nats = await NatsServer.Start();
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        await using var cloud = new CloudProcess(nats.Url, database.ConnectionString);
        cloud.Configuration = With(cloud.Configuration, """{ "metric": "a.*", "readings": "8 d" }""");

        Assert.Equal(0, await cloud.Run("check"));
        await cloud.OutputWith("retention: ok, 1 entries");
        await cloud.Start();
        var removed = (Days - KeptDays(8)) * PerDay * 2;
        await cloud.OutputWith($"Retention removed {removed} readings and 0 parts of windows");

        await cloud.WaitUntilReady();
        var (_, book) = await cloud.Get("/api/gateways/gw-1");
        Assert.Contains(
            $"\"stored\":{sample.Stored},", book.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains($"\"retired\":{removed}", book, StringComparison.Ordinal);
        Assert.Null(await sample.FindDifference());
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Wrong_entry_is_a_wrong_configuration()
    {
        await using var cloud = new CloudProcess("nats://127.0.0.1:1", "Host=127.0.0.1;Port=1");
        cloud.Configuration = With(cloud.Configuration, """{ "metric": "a.*", "readings": "8 h" }""");

        Assert.Equal(2, await cloud.Run("check"));
        await cloud.OutputWith("processor.retention.0.readings: '8 h' is not allowed; use 1 d to ");
    }

    private static string With(string configuration, string entry)
    {
        var root = JsonNode.Parse(configuration)!.AsObject();
        root["processor"] = new JsonObject { ["retention"] = new JsonArray(JsonNode.Parse(entry)) };
        return root.ToJsonString();
    }
}
