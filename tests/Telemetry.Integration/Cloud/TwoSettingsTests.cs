using Npgsql;
using Telemetry.Integration.Ingress;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Cloud;

/// <summary>Processes whose configurations say different numbers of partitions, on one log and database.</summary>
public sealed class TwoSettingsTests
{
    private const string Topic = "tm/1/gw-1/live";

    [ServersFact(nats: true, postgres: true)]
    public async Task Pairs_with_2_and_with_8_partitions_store_no_reading_twice()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var two = new CloudProcess(nats.Url, postgres.ConnectionString);
        await using var eight = Eight(nats, postgres);
        await two.Start();
        await two.WaitUntilReady();
        await using var first = await Connect(two);
        Assert.True((await first.Publish(Topic, Schema())).IsSuccess);
        Assert.True((await first.Publish(Topic, Frame(first: 1, attempt: 1, schema: SchemaOfSample))).IsSuccess);
        await Stored(postgres, 3);

        await eight.Start();
        var refused = false;
        for (var waited = 0; !refused && waited < 600; waited++)
        {
            refused = eight.Process.Exited.IsCompleted;
            if (!refused && await IsReady(eight))
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        if (!refused)
        {
            // A gateway that comes to this ingress, and back to the other one with a frame whose PUBACK it never saw.
            await using var second = await Connect(eight);
            Assert.True((await second.Publish(Topic, Schema())).IsSuccess);
            Assert.True((await second.Publish(Topic, Frame(first: 4, attempt: 2, schema: SchemaOfSample))).IsSuccess);
            await Stored(postgres, 6);
        }

        Assert.True((await first.Publish(Topic, Frame(first: 4, attempt: 3, schema: SchemaOfSample))).IsSuccess);
        Assert.True((await first.Publish(Topic, Frame(first: 7, attempt: 4, schema: SchemaOfSample))).IsSuccess);
        await Settled(postgres, 7);
        Assert.Equal(9, await Count(postgres, "SELECT count(*) FROM telemetry.reading"));
        Assert.True(refused, "a process with another number of partitions went on");
        Assert.Equal(1, eight.Process.ExitCode);
        var why = "partitions: '8' is configured, but the database says 2 partitions (installation ";
        var log = await eight.OutputWith($"to the installation: {why}");
        Assert.DoesNotContain("   at ", log, StringComparison.Ordinal);
        Assert.Equal(1, await eight.Run("check"));
        await eight.OutputWith($"partitions: FAILED, {why}");
        Assert.Equal(0, await eight.Run(
            "check", new Dictionary<string, string> { ["TELEMETRY__PARTITIONS"] = "2" }));
        await eight.OutputWith("partitions: ok, 2 partitions (installation ");
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Ingress_that_starts_before_any_processor_waits_and_is_refused_when_that_one_has_another_setting()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        var roles = (string role) => new Dictionary<string, string> { ["TELEMETRY__ROLE"] = role };
        await using var two = new CloudProcess(nats.Url, postgres.ConnectionString);
        await two.Start(environment: roles("ingress"));
        await two.OutputWith("Waits until a processor has made the log's streams");
        Assert.Equal(0, await Count(postgres, "SELECT count(*) FROM pg_namespace WHERE nspname = 'telemetry'"));

        await using var eight = Eight(nats, postgres);
        await eight.Start(environment: roles("processor"));
        await two.Process.Exited.WaitAsync(TimeSpan.FromSeconds(60));
        await eight.WaitUntilReady();

        Assert.Equal(1, two.Process.ExitCode);
        await two.OutputWith("partitions: '2' is configured, but the log says 8 partitions (installation ");
        Assert.Equal(1, await two.Run("check", roles("ingress")));
        await two.OutputWith("partitions: FAILED, partitions: '2' is configured, but the log says 8 partitions");
        await eight.Process.Stop(within: TimeSpan.FromSeconds(30));
        Assert.Equal(0, eight.Process.ExitCode);
    }

    private static CloudProcess Eight(NatsServer nats, PostgresServer postgres)
    {
        var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = cloud.Configuration.Replace(
            "\"partitions\": 2", "\"partitions\": 8", StringComparison.Ordinal);
        return cloud;
    }

    private static async Task<Device> Connect(CloudProcess cloud)
    {
        var device = new Device(cloud.MqttPort, "gw-1", "gw-1", "one");
        await device.ConnectAsync();
        return device;
    }

    private static async Task<bool> IsReady(CloudProcess cloud)
    {
        try
        {
            return (await cloud.Get("/health/ready")).Status == System.Net.HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static Task Stored(PostgresServer postgres, long readings) =>
        Until(postgres, "SELECT count(*) FROM telemetry.reading", readings);

    private static Task Settled(PostgresServer postgres, long first) =>
        Until(postgres, $"SELECT count(*) FROM telemetry.frame_register WHERE first = {first}", 1);

    private static async Task Until(PostgresServer postgres, string sql, long least)
    {
        for (var tries = 0; await Count(postgres, sql) < least; tries++)
        {
            Assert.True(tries < 600, $"not within a minute: {sql} >= {least}");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private static async Task<long> Count(PostgresServer postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
