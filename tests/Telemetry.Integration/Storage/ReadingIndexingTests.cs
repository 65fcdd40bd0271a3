using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>Plain PostgreSQL: readings that have arrived are moved to the weeks that have an index.</summary>
public sealed class ReadingIndexingTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string WhereSql = """
        SELECT count(*) FILTER (WHERE NOT indexed), count(*) FILTER (WHERE indexed) FROM telemetry.reading
        """;

    // The sum of what each writer said in its own transaction is what a snapshot has to find.
    private const string ExactSql = """
        SELECT (SELECT count(*) FROM telemetry.reading) - (SELECT coalesce(sum(n), 0) FROM written)
        """;

    // Readings of three weeks, out of order.
    private const string WriteSql = """
        INSERT INTO telemetry.reading_arrived (time, i, series, flags)
        SELECT now() - (n % 3) * interval '7 days' - n * interval '1 second', n, 1 + n % 50, 0
        FROM generate_series(1, 500) n;
        INSERT INTO written VALUES (500)
        """;

    [Fact]
    public async Task Few_readings_stay_where_they_arrived_and_many_are_moved_in_the_order_of_series_and_time()
    {
        await using var database = await Create(arrivedReadings: 501);
        await database.Execute(WriteSql);

        await database.IndexReadings();
        Assert.Equal("500|0", await database.Row(WhereSql));

        await database.Execute(WriteSql);
        await database.IndexReadings();
        Assert.Equal("0|1000", await database.Row(WhereSql));
        Assert.Equal(1000, database.Postgres.ReadingsIndexed);
        Assert.Equal("3|0", await database.Row("""
            SELECT count(DISTINCT tableoid), count(*) FILTER (WHERE (series, time) < before)
            FROM (SELECT tableoid, series, time,
                         lag((series, time)) OVER (PARTITION BY tableoid ORDER BY ctid) AS before
                  FROM telemetry.reading) r
            """));
    }

    [Fact]
    public async Task Space_of_moved_readings_is_freed()
    {
        await using var database = await Create();
        await database.Execute(WriteSql);

        await database.IndexReadings();

        Assert.Equal("0", await database.Row("SELECT pg_relation_size('telemetry.reading_arrived')"));
    }

    [Fact]
    public async Task Many_readings_are_moved_by_several_transactions()
    {
        await using var database = await Create();
        await database.Execute("""
            INSERT INTO telemetry.reading_arrived (time, series, flags, t)
            SELECT now() - n * interval '1 second', 1 + n % 50, 0, repeat('x', 1500) FROM generate_series(1, 15000) n
            """);

        await database.IndexReadings();

        Assert.Equal("0|15000", await database.Row(WhereSql));
        Assert.Equal("2", await database.Row("SELECT count(DISTINCT xmin::text) FROM telemetry.reading"));
    }

    [Fact]
    public async Task Readers_beside_commits_and_moves_find_each_reading_once_in_every_snapshot()
    {
        await using var database = await Create();
        // The weeks are made before: a snapshot that is kept open holds locks that making one waits for.
        await database.Execute(WriteSql);
        await database.IndexReadings();
        await database.Execute(WriteSql);
        await using var old = await database.OpenConnection();
        await using var snapshot = await old.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        Assert.Equal(1000, await Count(old, "SELECT count(*) FROM telemetry.reading"));
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var n = 0; n < 60; n++)
            {
                await database.Execute(WriteSql);
            }

            await stop.CancelAsync();
        });
        var reader = Task.Run(async () =>
        {
            await using var connection = await database.OpenConnection();
            var looks = 0;
            for (; !stop.IsCancellationRequested || looks == 0; looks++)
            {
                Assert.Equal(0, await Count(connection, ExactSql));
            }
        });

        while (!stop.IsCancellationRequested)
        {
            await database.IndexReadings();
            Assert.Equal(1000, await Count(old, "SELECT count(*) FROM telemetry.reading"));
        }

        await Task.WhenAll(writer, reader);
        await database.IndexReadings();
        Assert.Equal("0|31000", await database.Row(WhereSql));
        Assert.Equal(1000, await Count(old, "SELECT count(*) FROM telemetry.reading"));
    }

    [Fact]
    public async Task Locked_week_is_an_error_that_changes_nothing_and_its_readings_are_moved_later()
    {
        await using var database = await Create();
        await database.Execute(WriteSql);
        await database.IndexReadings();
        await database.Execute(WriteSql);
        await using (var holder = await database.OpenConnection())
        {
            await using var transaction = await holder.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("LOCK TABLE telemetry.reading_default, " + await AWeek(database)
                + " IN SHARE MODE", holder);
            await command.ExecuteNonQueryAsync();

            var e = await Assert.ThrowsAsync<StoreException>(() => database.Postgres.IndexReadingsAsync(default));
            Assert.Contains("55P03", e.Message, StringComparison.Ordinal);
            Assert.Equal("500|500", await database.Row(WhereSql));
        }

        await database.IndexReadings();
        Assert.Equal("0|1000", await database.Row(WhereSql));
    }

    [Fact]
    public async Task Mover_whose_session_is_ended_in_a_move_loses_and_doubles_nothing()
    {
        await using var database = await Create(lockWait: TimeSpan.FromMinutes(1));
        await database.Execute(WriteSql);
        await database.IndexReadings();
        await database.Execute(WriteSql);
        await using (var holder = await database.OpenConnection())
        {
            await using var transaction = await holder.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(
                $"LOCK TABLE {await AWeek(database)} IN SHARE MODE", holder);
            await command.ExecuteNonQueryAsync();

            var move = database.Postgres.IndexReadingsAsync(default);
            await database.EndWaiting("WITH moved%");
            await Assert.ThrowsAsync<StoreException>(() => move);
            Assert.Equal("500|500", await database.Row(WhereSql));
        }

        await database.IndexReadings();
        Assert.Equal("0|1000", await database.Row(WhereSql));
        Assert.Equal("0", await database.Row(ExactSql));
    }

    [Fact]
    public async Task Query_that_holds_its_lock_delays_a_new_week_and_no_commit()
    {
        await using var database = await Create();
        var row = await Commit(database.Store, await Take(database.Store), _ => { });
        await using (var reader = await database.OpenConnection())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            Assert.Equal(0, await Count(reader, "SELECT count(*) FROM telemetry.reading"));

            await Commit(database.Store, row, c => c.Readings.Add(
                Numbered(MetricType.Int), 1_760_000_000_000_000, ReadingFlags.None, 3));
            await Assert.ThrowsAsync<StoreException>(() => database.Postgres.IndexReadingsAsync(default));
            Assert.Equal("1|0", await database.Row(WhereSql));
        }

        await database.IndexReadings();
        Assert.Equal("0|1", await database.Row(WhereSql));
        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.reading_default"));
    }

    [Fact]
    public async Task Only_one_process_moves_at_a_time()
    {
        await using var database = await Create();
        await database.Execute(WriteSql);
        await using (var other = await database.OpenConnection())
        {
            await Count(other, "SELECT 1::bigint FROM pg_advisory_lock(8387229063863755877)");
            await database.Postgres.IndexReadingsAsync(default);
            Assert.Equal("500|0", await database.Row(WhereSql));
        }

        await database.IndexReadings();
        Assert.Equal("0|500", await database.Row(WhereSql));
    }

    private async Task<PostgresDatabase> Create(int arrivedReadings = 1, TimeSpan? lockWait = null)
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            ArrivedReadings = arrivedReadings,
            IndexingPercent = 100,
            PartitionLockWait = lockWait ?? TimeSpan.FromMilliseconds(200),
        });
        await database.Execute("CREATE TABLE written (n integer)");
        return database;
    }

    private static Task<string> AWeek(PostgresDatabase database) =>
        database.Row("SELECT min(tableoid::regclass::text) FROM telemetry.reading WHERE indexed");

    private static async Task<long> Count(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), null);
    }
}
