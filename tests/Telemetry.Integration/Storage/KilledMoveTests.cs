using Npgsql;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>Plain PostgreSQL: the server is killed while readings are stored and moved.</summary>
public sealed class KilledMoveTests
{
    private const int Kills = 4;

    private const string WriteSql = """
        INSERT INTO telemetry.reading_arrived (time, i, series, flags)
        SELECT now() - (n % 3) * interval '7 days' - n * interval '1 second', n, 1 + n % 50, 0
        FROM generate_series(1, 500) n;
        INSERT INTO written VALUES (500)
        """;

    [Fact]
    public async Task After_each_kill_every_reading_that_was_committed_is_there_once()
    {
        await using var server = await PostgresServer.Start(new PostgresOptions { ForceToDisk = true });
        await using var database = await PostgresDatabase.CreateEmpty(server.ConnectionString);
        var store = await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            ArrivedReadings = 1,
            IndexingPercent = 100,
        });
        await database.Execute("CREATE TABLE written (n integer)");

        for (var kill = 0; kill < Kills; kill++)
        {
            var moved = store.ReadingsIndexed;
            var both = Task.WhenAll(
                UntilItFails(() => database.Execute(WriteSql)),
                UntilItFails(() => store.IndexReadingsAsync(default)));
            while (store.ReadingsIndexed < moved + 2000)
            {
                await database.Pause();
            }

            await server.Kill();
            await both;
            await server.Start();

            Assert.Equal("0", await database.Row("""
                SELECT (SELECT count(*) FROM telemetry.reading) - (SELECT sum(n) FROM written)
                """));
        }

        await store.IndexReadingsAsync(default);
        Assert.Equal("0|0", await database.Row("""
            SELECT (SELECT count(*) FROM telemetry.reading_arrived),
                (SELECT count(*) FROM telemetry.reading_indexed) - (SELECT sum(n) FROM written)
            """));
    }

    private static async Task UntilItFails(Func<Task> work)
    {
        try
        {
            while (true)
            {
                await work();
            }
        }
        catch (Exception e) when (e is NpgsqlException or StoreException)
        {
            // The server was killed.
        }
    }
}
