using Npgsql;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Retention;
using static Telemetry.Integration.Storage.RetentionSample;

namespace Telemetry.Integration.Storage;

/// <summary>Plain PostgreSQL: what is not kept is removed, and stays in the books.</summary>
public sealed class RetentionTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly RetentionRules All = Rules(("*", 8, null)), OnlyA = Rules(("a.*", 8, null));

    [Fact]
    public async Task Weeks_in_which_everything_is_old_are_dropped_and_counted()
    {
        await using var database = await Create();
        var sample = await Store(database);
        var weeks = await Weeks(database, "reading_indexed");

        var report = await database.Postgres.RetireAsync(All, default);

        var kept = KeptDays(8);
        Assert.Equal(Enumerable.Range(0, kept + 1).Reverse(), await sample.DaysOf("b"));
        Assert.Equal(Enumerable.Range(0, kept + 1).Reverse(), await sample.DaysOf("a.flow"));
        Assert.Equal((Days - kept) * PerDay * 3, report.Readings);
        Assert.Equal((report.Readings, 0), database.Postgres.Retired);
        Assert.Equal(weeks - report.Dropped, await Weeks(database, "reading_indexed"));
        Assert.InRange(report.Dropped, 2, 5);
        Assert.False(report.IsDelayed);
        Assert.Equal(Time(kept), (report.Oldest!.Value - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        Assert.Null(await sample.FindDifference());
        Assert.Equal(
            $"{report.Readings}|0|2", await database.Row("""
                SELECT sum(readings), sum(parts), count(DISTINCT metric) FROM telemetry.retired WHERE gateway = 'gw-1'
                """));
        // Windows are kept, and are not compared with readings that are not.
        Assert.Equal(Days + 1, (await sample.DaysOf("b", "window_merged", "start")).Count);
        Assert.Empty(await sample.Differences());
        Assert.Equal(0, (await database.Postgres.RetireAsync(All, default)).Readings);
    }

    [Fact]
    public async Task Readings_of_a_metric_are_deleted_where_others_are_kept()
    {
        await using var database = await Create(rowsMax: 7);
        var sample = await Store(database);
        var weeks = await Weeks(database, "reading_indexed");

        var report = await database.Postgres.RetireAsync(OnlyA, default);

        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Equal(Days + 1, (await sample.DaysOf("b")).Count);
        Assert.Equal(((Days - KeptDays(8)) * PerDay * 2, 0), (report.Readings, report.Dropped));
        Assert.Equal(weeks, await Weeks(database, "reading_indexed"));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
    }

    [Fact]
    public async Task Windows_and_their_revisions_are_removed_by_their_width()
    {
        await using var database = await Create();
        var sample = await Store(database);
        await sample.StoreLateAsync(25);
        await sample.StoreLateAsync(1);
        await database.Execute("UPDATE telemetry.window_revision SET at = at - interval '2 hours'");
        var rules = new RetentionRules([new RetentionRule(new("*"), null, new Dictionary<int, TimeSpan>
        {
            [60] = TimeSpan.FromDays(8),
            [10] = TimeSpan.FromDays(1),
        })]);

        var report = await database.Postgres.RetireAsync(rules, default);

        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow", "window_merged", "start"))[0]);
        Assert.Equal((0, (Days - KeptDays(8)) * 6 + 1), (report.Readings, report.Parts));
        Assert.Equal($"0|{report.Parts}", await database.Row(
            "SELECT sum(readings), sum(parts) FROM telemetry.retired WHERE width = 60"));
        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.window_revision"));
        Assert.Equal(Days + 1, (await sample.DaysOf("a.flow")).Count);
        Assert.Empty(await sample.Differences());
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Nothing_is_removed_before_its_windows_are_complete()
    {
        await using var database = await Create();
        var sample = await Store(database, watermark: Time(20));

        await database.Postgres.RetireAsync(All, default);
        Assert.Equal(KeptDays(20), (await sample.DaysOf("b"))[0]);

        await database.Execute($"""
            UPDATE telemetry.gateway SET watermark = now(),
                window_from = timestamptz '1970-01-01Z' + interval '{Time(15)} microseconds', window_to = now()
            """);
        await database.Postgres.RetireAsync(All, default);
        Assert.Equal(KeptDays(15), (await sample.DaysOf("b"))[0]);

        await database.Execute("UPDATE telemetry.gateway SET watermark = NULL, window_from = NULL");
        Assert.Equal(0, (await database.Postgres.RetireAsync(All, default)).Readings);
        Assert.Null(await sample.FindDifference());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Late_reading_of_a_time_that_is_not_kept_is_stored_and_removed_by_the_next_run(bool isMoved)
    {
        await using var database = await Create();
        var sample = await Store(database);
        var windows = Rules(("a.*", 8, 8));
        await database.Postgres.RetireAsync(windows, default);

        await sample.StoreLateAsync(25);
        if (isMoved)
        {
            await database.IndexReadings();
        }

        Assert.Null(await sample.FindDifference());
        Assert.Equal(25, (await sample.DaysOf("a.flow"))[0]);
        // It alone would be a wrong window.
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow", "window_merged", "start"))[0]);
        Assert.Equal("0", await database.Row($"""
            SELECT count(*) FROM telemetry.windows_as_of(now()) WHERE metric = 'a.flow' 
                AND start < now() - interval '20 d'
            """));
        Assert.Empty(await sample.Differences());

        var report = await database.Postgres.RetireAsync(windows, default);

        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Late_reading_of_a_week_that_was_dropped_is_removed_by_the_next_run()
    {
        await using var database = await Create();
        var sample = await Store(database);
        var rules = Rules(("*", 8, 8));
        await database.Postgres.RetireAsync(rules, default);
        await sample.StoreLateAsync(25);
        await database.IndexReadings();
        Assert.Null(await sample.FindDifference());

        var report = await database.Postgres.RetireAsync(rules, default);

        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow", "window_part", "start"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Theory]
    [InlineData("a.*", 7)]
    [InlineData("*", 100_000)]
    public async Task Run_whose_session_is_ended_in_the_middle_leaves_books_that_balance(string metric, int rowsMax)
    {
        await using var database = await Create(rowsMax);
        var sample = await Store(database);
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

        await Assert.ThrowsAsync<StoreException>(() => database.Postgres.RetireAsync(rules, default));

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
        await using var database = await Create();
        var sample = await Store(database);
        await using (var reader = await database.OpenConnection())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            var second = await database.Row("""
                SELECT tableoid::regclass::text FROM telemetry.reading GROUP BY 1 ORDER BY 1 OFFSET 1 LIMIT 1
                """);
            await using var command = new NpgsqlCommand($"SELECT count(*) FROM {second}", reader);
            await command.ExecuteScalarAsync();

            var report = await database.Postgres.RetireAsync(All, default);

            Assert.Equal((1, true), (report.Dropped, report.IsDelayed));
        }

        Assert.Null(await sample.FindDifference());
        Assert.InRange((await database.Postgres.RetireAsync(All, default)).Dropped, 1, 4);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("b"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Reading_that_comes_while_its_week_is_dropped_is_counted()
    {
        await using var database = await Create();
        await Store(database);
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

        var run = database.Postgres.RetireAsync(All, default);
        while (!run.IsCompleted && await database.Row("""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
            """) == "0")
        {
        }

        await transaction.CommitAsync();
        await run;
        await Retry(database, All);
        Assert.Equal("True|True", await database.Row("""
            SELECT stored = retired + (SELECT count(*) FROM telemetry.reading), retired > 0 FROM telemetry.books
            """));
    }

    [Fact]
    public async Task Weeks_without_an_index_are_read_once()
    {
        await using var database = await Create();
        var sample = await Store(database);
        await database.Execute("DROP INDEX telemetry.reading_series");

        var report = await database.Postgres.RetireAsync(OnlyA, default);

        Assert.Equal((Days - KeptDays(8)) * PerDay * 2, report.Readings);
        Assert.Equal((KeptDays(8), Days), ((await sample.DaysOf("a.flow"))[0], (await sample.DaysOf("b"))[0]));
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Only_one_process_removes_at_a_time()
    {
        await using var database = await Create();
        await Store(database);
        await using var other = await database.OpenConnection();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(8387229064014165097)", other);
        await command.ExecuteNonQueryAsync();

        Assert.Equal(RetentionReport.Nothing, await database.Postgres.RetireAsync(All, default));
    }

    [Fact]
    public async Task What_comes_late_is_removed_in_its_time_after_a_rule_that_keeps_longer()
    {
        await using var database = await Create();
        var sample = await Store(database);
        await database.Postgres.RetireAsync(OnlyA, default);
        await sample.StoreLateAsync(25);
        await database.IndexReadings();

        Assert.Equal(0, (await database.Postgres.RetireAsync(Rules(("a.*", 400, null)), default)).Readings);
        await database.Execute("UPDATE telemetry.window_revision SET at = at - interval '1 day'");
        Assert.Equal(1, (await database.Postgres.RetireAsync(OnlyA, default)).Readings);

        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Time_weighted_mean_that_needs_readings_is_null_without_them()
    {
        await using var database = await Create();
        var sample = await Store(database);
        // Its time lies among those of the first part.
        await sample.StoreLateAsync(25);
        await sample.StoreLateAsync(1);
        const string Sql = """
            SELECT readings, sum IS NULL, time_weighted_mean IS NULL
            FROM telemetry.windows WHERE revision > 0 ORDER BY start
            """;
        Task<IReadOnlyList<string>> Means() => database.Read(
            Sql, r => $"{r.GetInt64(0)} {r.GetBoolean(1)} {r.GetBoolean(2)}");
        Assert.Equal(["11 False False", "11 False False"], await Means());

        await database.Postgres.RetireAsync(All, default);

        Assert.Equal(["11 False True", "11 False False"], await Means());
        Assert.Equal("0", await database.Row("""
            SELECT count(*) FROM telemetry.windows WHERE revision = 0 AND time_weighted_mean IS NULL
            """));
    }

    // Weeks are removed as a whole.
    private static int KeptDays(int days)
    {
        var week = DateTime.UtcNow.AddDays(-days);
        week = week.AddTicks(-((week - DateTime.UnixEpoch).Ticks % TimeSpan.FromDays(7).Ticks));
        return (DateTime.UtcNow.Date - week).Days;
    }

    private static async Task<RetentionSample> Store(PostgresDatabase database, long? watermark = null)
    {
        var sample = await StoreAsync(database, watermark);
        await database.IndexReadings();
        return sample;
    }

    private async Task<PostgresDatabase> Create(int rowsMax = 100_000)
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            ArrivedReadings = 1,
            IndexingPercent = 100,
            RetentionRowsMax = rowsMax,
            RetentionPercent = 100,
            PartitionLockWait = TimeSpan.FromMilliseconds(200),
        });
        return database;
    }

    // The session that was ended may hold the lock for a moment.
    private static async Task Retry(PostgresDatabase database, RetentionRules rules)
    {
        while (await database.Postgres.RetireAsync(rules, default) == RetentionReport.Nothing)
        {
            await database.Pause();
        }
    }

    private static async Task<int> Weeks(PostgresDatabase database, string table) => int.Parse(
        await database.Row($"""
            SELECT count(*) FROM pg_inherits
            WHERE inhparent = 'telemetry.{table}'::regclass AND inhrelid::regclass::text ~ '[0-9]+$'
            """),
        System.Globalization.CultureInfo.InvariantCulture);
}
