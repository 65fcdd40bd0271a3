using Npgsql;
using Telemetry.Storage;
using Telemetry.Storage.Retention;
using static Telemetry.Integration.Storage.RetentionSample;

namespace Telemetry.Integration.Storage;

/// <summary>Plain PostgreSQL: retention beside a crash, queries and commits.</summary>
public sealed class RetentionFaultTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly RetentionRules Everything = Rules(("*", 8, null));

    [Theory]
    [InlineData("a.*", 7)]
    [InlineData("*", 100_000)]
    public async Task Run_whose_session_is_ended_in_the_middle_leaves_books_that_balance(string metric, int rowsMax)
    {
        await using var database = await CreateDatabase(fixture, rowsMax);
        var sample = await StoreIndexed(database);
        var rules = Rules((metric, 8, 8));
        // Once something is removed, in the transaction that removes more.
        await database.Execute("""
            CREATE FUNCTION telemetry.crash() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT sum(removed) FROM telemetry.retirement_count) > 15 THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER crash BEFORE INSERT ON telemetry.retirement_count EXECUTE FUNCTION telemetry.crash()
            """);

        await Assert.ThrowsAsync<StoreException>(() => database.Postgres.Retention.RunAsync(rules, default));

        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.books WHERE retired > 0"));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
        await database.Execute("DROP TRIGGER crash ON telemetry.retirement_count");

        await Retry(database, rules);

        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow", "window_merged", "start"))[0]);
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
    }

    [Fact]
    public async Task Week_that_a_query_reads_waits_for_the_next_run_with_those_after_it()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        await using (var reader = await database.OpenConnection())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            var second = await database.Row("""
                SELECT tableoid::regclass::text FROM telemetry.reading GROUP BY 1 ORDER BY 1 OFFSET 1 LIMIT 1
                """);
            await using var command = new NpgsqlCommand($"SELECT count(*) FROM {second}", reader);
            await command.ExecuteScalarAsync();

            var report = await database.Postgres.Retention.RunAsync(Everything, default);

            Assert.Equal((1, true), (report.Dropped, report.IsDelayed));
        }

        Assert.Null(await sample.FindDifference());
        Assert.InRange((await database.Postgres.Retention.RunAsync(Everything, default)).Dropped, 1, 4);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("b"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Late_reading_that_comes_after_a_first_run_that_is_delayed_is_removed_by_the_second()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        var rules = Rules(("a.*", 8, null));
        await using (var writer = await database.OpenConnection())
        {
            await using var transaction = await writer.BeginTransactionAsync();
            var second = await database.Row("""
                SELECT tableoid::regclass::text FROM telemetry.reading GROUP BY 1 ORDER BY 1 OFFSET 1 LIMIT 1
                """);
            await using var command = new NpgsqlCommand($"SELECT FROM {second} FOR UPDATE", writer);
            await command.ExecuteNonQueryAsync();
            Assert.True((await database.Postgres.Retention.RunAsync(rules, default)).IsDelayed);
        }

        // To a week of which all that is not kept was removed.
        await sample.StoreLateAsync(Days);
        await database.IndexReadings();
        Assert.Equal(Days, (await sample.DaysOf("a.flow"))[0]);

        var report = await database.Postgres.Retention.RunAsync(rules, default);

        Assert.False(report.IsDelayed);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Reading_that_comes_while_its_week_is_dropped_is_counted()
    {
        await using var database = await CreateDatabase(fixture);
        await StoreIndexed(database);
        await using var writer = await database.OpenConnection();
        await using var transaction = await writer.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("""
            INSERT INTO telemetry.reading_indexed (time, i, series, flags)
            SELECT min(time), 1, min(series), 0 FROM telemetry.reading;
            UPDATE telemetry.gateway SET stored = stored + 1
            """, writer))
        {
            await command.ExecuteNonQueryAsync();
        }

        var run = database.Postgres.Retention.RunAsync(Everything, default);
        while (!run.IsCompleted && await database.Row("""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
            """) == "0")
        {
        }

        await transaction.CommitAsync();
        await run;
        await Retry(database, Everything);
        Assert.Equal("True|True", await database.Row("""
            SELECT stored = retired + (SELECT count(*) FROM telemetry.reading), retired > 0 FROM telemetry.books
            """));
    }

    [Fact]
    public async Task Only_one_process_removes_at_a_time()
    {
        await using var database = await CreateDatabase(fixture);
        await StoreIndexed(database);
        await using var other = await database.OpenConnection();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(8387229064014165097)", other);
        await command.ExecuteNonQueryAsync();

        Assert.Equal(RetentionReport.Nothing, await database.Postgres.Retention.RunAsync(Everything, default));
    }

    [Fact]
    public async Task Parts_wait_for_the_next_run_while_some_are_merged()
    {
        await using var database = await CreateDatabase(fixture);
        await StoreIndexed(database);
        var rules = Rules(("a.*", 8, 8));
        await using (var other = await database.OpenConnection())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var merge = new NpgsqlCommand(
                "SELECT telemetry.merge_parts('{}', '{}', '{}', now())", other);
            await merge.ExecuteNonQueryAsync();

            var report = await database.Postgres.Retention.RunAsync(rules, default);

            Assert.True(report is { Readings: > 0, Parts: 0, IsDelayed: true }, report.ToString());
        }

        Assert.True((await database.Postgres.Retention.RunAsync(rules, default)).Parts > 0);
    }

    // The session that was ended may hold the lock for a moment.
    private static async Task Retry(PostgresDatabase database, RetentionRules rules)
    {
        while (await database.Postgres.Retention.RunAsync(rules, default) == RetentionReport.Nothing)
        {
            await database.Pause();
        }
    }
}
