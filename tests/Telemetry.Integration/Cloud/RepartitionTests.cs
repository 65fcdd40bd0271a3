using Npgsql;
using Telemetry.Integration.Ingress;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Cloud;

/// <summary>
/// The number of partitions of an installation changes from 8 to 3: gw-1 moves from partition 4 to partition 2. One
/// story in the order in which an operator lives through it, as each step needs what the one before it left.
/// </summary>
public sealed class RepartitionTests
{
    private const string Topic = "tm/1/gw-1/live";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private string _connection = "";
    private int _attempt;

    [ServersFact(nats: true, postgres: true)]
    public async Task Every_reading_is_stored_once_through_a_change_a_kill_in_it_and_a_database_put_back_to_before_it()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        _connection = postgres.ConnectionString;
        await using var eight = new CloudProcess(nats.Url, _connection);
        await using var three = new CloudProcess(nats.Url, _connection);
        SetPartitions(eight, 8);
        SetPartitions(three, 3);

        await Store(eight, 1);
        await eight.Process.Stop(within: Soon);
        await BackUp();
        await Store(eight, 4);

        await Kill(three, "after-repartition-close", partitions: 3);
        await eight.WaitUntilNotReady("partitions: the partitions are being changed from 8 to 3");
        await using (var device = await Connect(eight))
        {
            var refused = await device.Publish(Topic, Frame(first: 7, attempt: ++_attempt, schema: SchemaOfSample))
                .WaitAsync(Soon);
            Assert.Equal(MqttReasonCode.ImplementationSpecificError, refused.ReasonCode);
        }

        Assert.Equal(0, await three.Run("repartition", null, "--partitions", "3"));
        await three.OutputWith("done: 3 partitions");
        await eight.Process.Exited.WaitAsync(Soon);
        Assert.Equal(1, eight.Process.ExitCode);
        Assert.Equal(1, await eight.Run("run"));
        await eight.OutputWith("partitions: '8' is configured, but the database says 3 partitions");

        await Store(three, 7);
        await using (var device = await Connect(three))
        {
            Assert.True((await device.Publish(Topic, Frame(first: 4, attempt: ++_attempt, schema: SchemaOfSample)))
                .IsSuccess);
        }

        await Judge(readings: 9);
        await three.Process.Stop(within: Soon);

        PutBack(eight, three);
        Assert.Equal(3, await Count("SELECT count(*) FROM telemetry.reading"));
        Assert.Equal(1, await three.Run("check"));
        await three.OutputWith("the database was put back to before a repartition");
        Assert.Equal(1, await three.Run("run"));
        await three.OutputWith("the database was put back to before a repartition");
        await Kill(three, "after-repartition-make", partitions: 3);
        await Kill(three, "before-repartition-commit", partitions: 3);
        await Kill(three, "after-repartition-commit", partitions: 3);

        Assert.Equal(0, await three.Run("repartition", null, "--partitions", "3"));
        await three.OutputWith("done: 3 partitions");
        await Store(three, 10);
        await Judge(readings: 12);
        await three.Process.Stop(within: Soon);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Change_that_was_begun_is_taken_back_and_readings_go_on_as_before()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        _connection = postgres.ConnectionString;
        await using var eight = new CloudProcess(nats.Url, _connection);
        await using var command = new CloudProcess(nats.Url, _connection);
        SetPartitions(eight, 8);
        await Store(eight, 1);
        await Kill(command, "after-repartition-close", partitions: 3);

        Assert.Equal(1, await command.Run("repartition", null, "--partitions", "5"));
        await command.OutputWith("a change to 3 is under way");
        Assert.Equal(0, await command.Run("repartition", null, "--partitions", "8"));

        await command.OutputWith("taken back: the change to 3 partitions; the streams are open again");
        await using var device = await Connect(eight);
        await Publish(device, 4);
        await Judge(readings: 6);
        await eight.Process.Stop(within: Soon);
        Assert.Equal(0, eight.Process.ExitCode);
    }

    private static void SetPartitions(CloudProcess cloud, int partitions) => cloud.Configuration =
        cloud.Configuration.Replace("\"partitions\": 2", $"\"partitions\": {partitions}", StringComparison.Ordinal);

    private static async Task<Device> Connect(CloudProcess cloud)
    {
        var device = new Device(cloud.MqttPort, "gw-1", "gw-1", "one");
        await device.ConnectAsync();
        return device;
    }

    /// <summary>Runs the command until it is killed at a point.</summary>
    private static async Task Kill(CloudProcess command, string point, int partitions)
    {
        var code = await command.Run(
            "repartition", new Dictionary<string, string> { ["TELEMETRY_CRASH_AT"] = point },
            "--partitions", $"{partitions}");
        Assert.True(code is not (0 or 1 or 2), await File.ReadAllTextAsync(command.Process.OutputFile));
    }

    /// <summary>Starts the cloud and stores a frame of three readings.</summary>
    private async Task Store(CloudProcess cloud, long first)
    {
        await cloud.Start();
        await cloud.WaitUntilReady();
        await using var device = await Connect(cloud);
        Assert.True((await device.Publish(Topic, Schema())).IsSuccess);
        await Publish(device, first);
        await Until($"SELECT count(*) FROM telemetry.frame_register WHERE first = {first}");
    }

    private async Task Publish(Device device, long first)
    {
        for (var tries = 0; ; tries++)
        {
            var frame = Frame(first: first, attempt: ++_attempt, schema: SchemaOfSample);
            if ((await device.Publish(Topic, frame).WaitAsync(Soon)).IsSuccess)
            {
                return;
            }

            Assert.True(tries < 100, "the frame was never taken");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>So many readings, each once, and the books say the same.</summary>
    private async Task Judge(long readings)
    {
        await Until($"SELECT count(*) FROM telemetry.gateway WHERE stored = {readings}");
        Assert.Equal(readings, await Count("SELECT count(*) FROM telemetry.reading"));
        Assert.Equal(
            readings, await Count("SELECT count(DISTINCT (epoch, lane, first)) * 3 FROM telemetry.frame_register"));
        Assert.Equal(
            0, await Count("SELECT (sum(rejected) + sum(dropped) + sum(lost))::bigint FROM telemetry.gateway"));
        Assert.Equal(0, await Count("SELECT count(*) FROM telemetry.dead_letter"));
        Assert.Equal(1, await Count(
            "SELECT count(*) FROM telemetry.gateway WHERE partition = CASE (SELECT partitions FROM "
            + "telemetry.installation) WHEN 8 THEN 4 ELSE 2 END"));
    }

    /// <summary>A copy of the database, which nobody uses now.</summary>
    private async Task BackUp()
    {
        NpgsqlConnection.ClearAllPools();
        var builder = new NpgsqlConnectionStringBuilder(_connection);
        var original = builder.Database!;
        builder.Database = "template1";
        await using var connection = new NpgsqlConnection(builder.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var copy = new NpgsqlCommand($"CREATE DATABASE before TEMPLATE \"{original}\"", connection);
        await copy.ExecuteNonQueryAsync();
    }

    /// <summary>From now on the copy is the database.</summary>
    private void PutBack(params CloudProcess[] clouds)
    {
        var copy = new NpgsqlConnectionStringBuilder(_connection) { Database = "before" }.ConnectionString;
        foreach (var cloud in clouds)
        {
            cloud.Configuration = cloud.Configuration.Replace(_connection, copy, StringComparison.Ordinal);
        }

        _connection = copy;
    }

    private async Task Until(string sql)
    {
        for (var tries = 0; await Count(sql) < 1; tries++)
        {
            Assert.True(tries < 600, $"not within a minute: {sql}");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private async Task<long> Count(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_connection) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
