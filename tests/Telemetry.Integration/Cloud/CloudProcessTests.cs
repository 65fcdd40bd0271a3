using System.Net;
using System.Text.Json;
using Npgsql;
using Telemetry.Integration.Ingress;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Cloud;

/// <summary>The executable as an operator meets it, against real servers.</summary>
public sealed class CloudProcessTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [ServersFact(nats: true, postgres: true)]
    public async Task Frame_goes_through_the_whole_cloud_and_stands_in_the_books()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using (var device = new Device(cloud.MqttPort, "gw-1", "gw-1", "one"))
        {
            await device.ConnectAsync();
            await device.Client.SubscribeAsync("tm/1/gw-1/down");
            await SayHello(device);
            Assert.True((await device.Publish("tm/1/gw-1/live", Schema())).IsSuccess);
            Assert.True((await device.Publish("tm/1/gw-1/live", Frame(schema: SchemaOfSample))).IsSuccess);
            Assert.Equal(3, await StoredUpTo(device, 3));
        }

        var (status, text) = await cloud.Get("/api/gateways/gw-1");
        Assert.Equal(HttpStatusCode.OK, status);
        var book = JsonDocument.Parse(text).RootElement;
        Assert.Equal((4, 3, 1), (Number(book, "accepted"), Number(book, "stored"), Number(book, "onTheWay")));
        Assert.Contains("\"gw-1\"", (await cloud.Get("/api/gateways")).Text, StringComparison.Ordinal);
        Assert.Equal("[]", (await cloud.Get("/api/gateways?after=gw-1")).Text);
        Assert.Equal(HttpStatusCode.NotFound, (await cloud.Get("/api/gateways/gw-2")).Status);
        var metrics = (await cloud.Get("/metrics")).Text;
        Assert.Contains(
            "telemetry_ingress_events_total{event=\"frame_appended\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains(
            "telemetry_processor_readings_total{outcome=\"stored\"} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("dotnet_process_", metrics, StringComparison.Ordinal);

        await cloud.Process.Stop(within: Soon);
        Assert.Equal(0, cloud.Process.ExitCode);
        await cloud.OutputWith("Stopped");
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Process_that_starts_before_its_servers_says_what_it_waits_for_and_becomes_ready_when_they_come()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await nats.Kill();
        await postgres.Stop();
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await cloud.Start();
        await cloud.Process.WaitUntilReady(Probe.Accepts(cloud.HttpPort), Soon);

        Assert.Equal(HttpStatusCode.OK, (await cloud.Get("/health/live")).Status);
        await cloud.WaitUntilNotReady("start: waiting for NATS\n");
        await cloud.WaitUntilNotReady("database: ");
        await nats.Restart();
        await postgres.Start();
        await cloud.WaitUntilReady();

        await nats.Kill();
        await cloud.WaitUntilNotReady("nats: ");
        await cloud.Process.Stop(within: Soon);
        Assert.Equal(0, cloud.Process.ExitCode);
    }

    [Fact]
    public async Task Books_of_a_database_that_cannot_be_reached_are_answered_with_503_and_why()
    {
        await using var cloud = new CloudProcess("nats://127.0.0.1:1", "Host=127.0.0.1;Port=1");
        await cloud.Start();
        await cloud.Process.WaitUntilReady(Probe.Accepts(cloud.HttpPort), Soon);

        var (status, text) = await cloud.Get("/api/gateways");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.StartsWith("the database: ", text, StringComparison.Ordinal);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Check_says_of_each_part_whether_it_is_there()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);

        Assert.Equal(0, await cloud.Run("check"));
        await cloud.OutputWith("configuration: ok\ngateways: 1 with passwords, no TLS\nnats: ok, nats-server 2.");
        await cloud.OutputWith("0 of 4 streams made\ndatabase: ok, PostgreSQL 15.");

        await nats.Kill();
        Assert.Equal(1, await cloud.Run("check"));
        await cloud.OutputWith("nats: FAILED, ");
        await cloud.OutputWith("database: ok");
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Check_beside_the_process_that_runs_is_well_and_with_another_address_is_not()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using var beside = new CloudProcess(nats.Url, postgres.ConnectionString)
        {
            Configuration = cloud.Configuration,
        };

        Assert.Equal(0, await beside.Run("check"));
        const string Runs = "is in use by the Telemetry.Cloud that runs with these addresses\n";
        await beside.OutputWith($"http: ok, 127.0.0.1:{cloud.HttpPort} {Runs}");
        await beside.OutputWith($"mqtt: ok, 127.0.0.1:{cloud.MqttPort} {Runs}");

        beside.Configuration = cloud.Configuration.Replace(
            $"\"port\": {cloud.HttpPort}", $"\"port\": {beside.HttpPort}", StringComparison.Ordinal);
        Assert.Equal(1, await beside.Run("check"));
        await beside.OutputWith($"mqtt: FAILED, ingress.port: {cloud.MqttPort} on 127.0.0.1 is in use by another");

        beside.Configuration = cloud.Configuration.Replace(
            $"\"port\": {cloud.MqttPort}", $"\"port\": {beside.MqttPort}", StringComparison.Ordinal);
        Assert.Equal(1, await beside.Run("check"));
        await beside.OutputWith($"http: FAILED, http.port: {cloud.HttpPort} on 127.0.0.1 is in use by another");
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Newer_database_is_refused_by_check_and_run_in_one_line()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var newer = database.CreateCommand("""
            CREATE SCHEMA telemetry;
            CREATE TABLE telemetry.telemetry_schema AS SELECT 777 AS version;
            """);
        await newer.ExecuteNonQueryAsync();

        Assert.Equal(1, await cloud.Run("check"));
        await cloud.OutputWith("database: FAILED, The database's tables have version 777, newer than version ");
        Assert.Equal(1, await cloud.Run("run"));
        var log = await cloud.OutputWith("the database does not fit: The database's tables have version 777");
        Assert.DoesNotContain("   at ", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_configuration_ends_the_process_and_names_the_keys_of_file_and_environment()
    {
        await using var cloud = new CloudProcess("nats://127.0.0.1:1", "Host=127.0.0.1");
        cloud.Configuration = cloud.Configuration.Replace(
            "\"partitions\": 2", "\"partitions\": 0", StringComparison.Ordinal);

        Assert.Equal(2, await cloud.Run("run", new Dictionary<string, string> { ["TELEMETRY__HTTP__PORT"] = "x" }));

        await cloud.OutputWith("partitions: '0' is not allowed; use 1 to 1024");
        await cloud.OutputWith("http.port: 'x' is not allowed; use 0 to 65535");
    }

    [Fact]
    public async Task Wrong_rules_file_ends_the_process_and_names_file_rule_and_key()
    {
        await using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(
            folder.At("rules.json"), """{"rules":[{"name":"hot","match":{"metric":"*"},"above":1,"clear":2}]}""");
        await using var cloud = new CloudProcess("nats://127.0.0.1:1", "Host=127.0.0.1");

        Assert.Equal(
            2,
            await cloud.Run(
                "run", new Dictionary<string, string> { ["TELEMETRY__ALERTS__RULES"] = folder.At("rules.json") }));

        await cloud.OutputWith(
            $"alerts.rules: {folder.At("rules.json")}:1: rule 'hot': clear: 2 is not allowed; use at most 1 (");
    }

    private static async Task SayHello(Device device)
    {
        for (var attempt = 1; !(await device.Publish("tm/1/gw-1/hello", Hello())).IsSuccess; attempt++)
        {
            Assert.True(attempt < 100, "nobody took the partition");
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }

    private static async Task<long> StoredUpTo(Device device, long sequence)
    {
        await Task.Yield();
        while (device.Received.TryTake(out var message, Soon))
        {
            if (message[0] == (byte)DownKind.StoredAck
                && StoredAck.Read(message).Epochs is [{ } epoch, ..]
                && epoch.Lanes[(int)Lane.Live].Prefix is var prefix && prefix >= sequence)
            {
                return prefix;
            }
        }

        return 0;
    }

    private static long Number(JsonElement book, string name) => book.GetProperty(name).GetInt64();
}
