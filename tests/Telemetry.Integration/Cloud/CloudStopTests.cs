using Npgsql;
using Telemetry.Integration.Processing;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Cloud;

/// <summary>
/// Stops that take longer than the 2 s after which System.CommandLine would end the process by itself. The database
/// holds them up: a transaction of the test has locked the partitions, so that no lease can be given back.
/// </summary>
public sealed class CloudStopTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [ServersFact(nats: true, postgres: true)]
    public async Task Stop_that_the_database_holds_up_for_three_seconds_ends_in_order()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = await Started(nats, postgres, stopWithin: "60 s");
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await Until(database, "all partitions have an owner", "SELECT count(*) = 2 FROM telemetry.partition WHERE "
            + "lease_until > now()");
        await using (await Lock(database))
        {
            var told = await Read<DateTime>(database, "SELECT now()");
            cloud.Process.Signal(ProcessSignal.Terminate);
            await ProcessorPair.Until(
                "a lease has waited for three seconds to be given back",
                async () => cloud.Process.HasExited || await Read<bool>(
                    database,
                    $"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query_start > "
                    + $"'{told:O}' AND query_start < now() - interval '3 s' AND query LIKE 'UPDATE%')"));
        }

        await cloud.Process.Exited.WaitAsync(Soon);

        Assert.Equal(0, cloud.Process.ExitCode);
        await cloud.OutputWith("Stopped");
        Assert.Equal(0, await Read<long>(
            database, "SELECT count(*) FROM telemetry.partition WHERE lease_until > now()"));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Stop_that_is_not_done_within_its_limit_says_so_and_ends_with_1()
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(null);
        await using var cloud = await Started(nats, postgres, stopWithin: "5 s");
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var locked = await Lock(database);

        cloud.Process.Signal(ProcessSignal.Terminate);
        await cloud.Process.Exited.WaitAsync(Soon);

        Assert.Equal(1, cloud.Process.ExitCode);
        var log = await cloud.OutputWith("Did not stop within 00:00:05; ended as if killed, which loses nothing");
        Assert.DoesNotContain("Stopped", log, StringComparison.Ordinal);
    }

    private static async Task<CloudProcess> Started(NatsServer nats, PostgresServer postgres, string stopWithin)
    {
        var cloud = new CloudProcess(nats.Url, postgres.ConnectionString);
        cloud.Configuration = cloud.Configuration.Replace(
            "\"partitions\": 2", $"\"partitions\": 2, \"stopWithin\": \"{stopWithin}\"", StringComparison.Ordinal);
        await cloud.Start();
        await cloud.WaitUntilReady();
        return cloud;
    }

    /// <summary>A transaction that keeps everyone from the partitions until it is disposed.</summary>
    private static async Task<NpgsqlConnection> Lock(NpgsqlDataSource database)
    {
        var connection = await database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(
            "BEGIN; LOCK TABLE telemetry.partition IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    private static Task Until(NpgsqlDataSource database, string what, string sql) =>
        ProcessorPair.Until(what, () => Read<bool>(database, sql));

    private static async Task<T> Read<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
