using System.Diagnostics.Metrics;
using Telemetry.Cloud.Hosting;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Integration.Edge;
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
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        var weeks = await Weeks(database, "reading_indexed");

        var report = await database.Postgres.Retention.RunAsync(All, default);

        var kept = KeptDays(8);
        Assert.Equal(Enumerable.Range(0, kept + 1).Reverse(), await sample.DaysOf("b"));
        Assert.Equal(Enumerable.Range(0, kept + 1).Reverse(), await sample.DaysOf("a.flow"));
        Assert.Equal((Days - kept) * PerDay * 3, report.Readings);
        Assert.Equal((report.Readings, 0), (database.Postgres.Retention.Readings, database.Postgres.Retention.Parts));
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
        Assert.Equal(0, (await database.Postgres.Retention.RunAsync(All, default)).Readings);
    }

    [Fact]
    public async Task Upkeep_says_what_it_removed_and_how_old_the_oldest_is()
    {
        await using var database = await CreateDatabase(fixture);
        await StoreIndexed(database);
        using var log = new LinesLog();
        using var meter = new Meter("test.retention");
        using var text = new PrometheusText(meter);
        var upkeep = new RetentionUpkeep(database.Postgres, All, TimeProvider.System, log);
        upkeep.Publish(meter);

        await upkeep.RunAsync(default);
        await upkeep.RunAsync(default);

        var removed = (Days - KeptDays(8)) * PerDay * 3;
        Assert.Equal(1, log.Lines);
        Assert.StartsWith(
            $"Information Retention removed {removed} readings and 0 parts", log.Text, StringComparison.Ordinal);
        Assert.Contains($"telemetry_retention_readings_total {removed}\n", text.Write(), StringComparison.Ordinal);
        Assert.Contains("telemetry_retention_parts_total 0\n", text.Write(), StringComparison.Ordinal);
        Assert.Matches("telemetry_retention_oldest[a-z_]* [1-9][0-9]+\n", text.Write());

        await new RetentionUpkeep(database.Postgres, RetentionRules.None, TimeProvider.System, log).RunAsync(default);
        Assert.Equal(1, log.Lines);
    }

    [Fact]
    public async Task Readings_of_a_metric_are_deleted_where_others_are_kept()
    {
        await using var database = await CreateDatabase(fixture, rowsMax: 7);
        var sample = await StoreIndexed(database);
        var weeks = await Weeks(database, "reading_indexed");

        var report = await database.Postgres.Retention.RunAsync(OnlyA, default);

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
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        await sample.StoreLateAsync(25);
        await sample.StoreLateAsync(1);
        await database.Execute("UPDATE telemetry.window_revision SET at = at - interval '2 hours'");
        var rules = new RetentionRules([new RetentionRule(new("*"), null, new Dictionary<int, TimeSpan>
        {
            [60] = TimeSpan.FromDays(8),
            [10] = TimeSpan.FromDays(1),
        })]);

        var report = await database.Postgres.Retention.RunAsync(rules, default);

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
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database, watermark: Time(20));

        await database.Postgres.Retention.RunAsync(All, default);
        Assert.Equal(KeptDays(20), (await sample.DaysOf("b"))[0]);

        await database.Execute($"""
            UPDATE telemetry.gateway SET watermark = now(),
                window_from = timestamptz '1970-01-01Z' + interval '{Time(15)} microseconds', window_to = now()
            """);
        await database.Postgres.Retention.RunAsync(All, default);
        Assert.Equal(KeptDays(15), (await sample.DaysOf("b"))[0]);

        await database.Execute("UPDATE telemetry.gateway SET watermark = NULL, window_from = NULL");
        Assert.Equal(0, (await database.Postgres.Retention.RunAsync(All, default)).Readings);
        Assert.Null(await sample.FindDifference());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Late_reading_of_a_time_that_is_not_kept_is_stored_and_removed_by_the_next_run(bool isMoved)
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        var windows = Rules(("a.*", 8, 8));
        await database.Postgres.Retention.RunAsync(windows, default);

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
            SET ROLE telemetry_reader; SELECT count(*) FROM telemetry.windows_as_of(now()) WHERE metric = 'a.flow' 
                AND start < now() - interval '20 d'
            """));
        Assert.Empty(await sample.Differences());

        var report = await database.Postgres.Retention.RunAsync(windows, default);

        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Late_reading_of_a_week_that_was_dropped_is_removed_by_the_next_run()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        var rules = Rules(("*", 8, 8));
        await database.Postgres.Retention.RunAsync(rules, default);
        await sample.StoreLateAsync(25);
        await database.IndexReadings();
        Assert.Null(await sample.FindDifference());

        var report = await database.Postgres.Retention.RunAsync(rules, default);

        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow"))[0]);
        Assert.Equal(KeptDays(8), (await sample.DaysOf("a.flow", "window_part", "start"))[0]);
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Weeks_without_an_index_are_read_once()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        await database.Execute("DROP INDEX telemetry.reading_series");

        var report = await database.Postgres.Retention.RunAsync(OnlyA, default);

        Assert.Equal((Days - KeptDays(8)) * PerDay * 2, report.Readings);
        Assert.Equal((KeptDays(8), Days), ((await sample.DaysOf("a.flow"))[0], (await sample.DaysOf("b"))[0]));
        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task What_comes_late_is_removed_in_its_time_after_a_rule_that_keeps_longer()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        await database.Postgres.Retention.RunAsync(OnlyA, default);
        await sample.StoreLateAsync(25);
        await database.IndexReadings();

        Assert.Equal(0, (await database.Postgres.Retention.RunAsync(Rules(("a.*", 400, null)), default)).Readings);
        await database.Execute("UPDATE telemetry.window_revision SET at = at - interval '1 day'");
        Assert.Equal(1, (await database.Postgres.Retention.RunAsync(OnlyA, default)).Readings);

        Assert.Null(await sample.FindDifference());
    }

    [Fact]
    public async Task Time_weighted_mean_that_needs_readings_is_null_without_them()
    {
        await using var database = await CreateDatabase(fixture);
        var sample = await StoreIndexed(database);
        // Its time lies among those of the first part.
        await sample.StoreLateAsync(25);
        await sample.StoreLateAsync(1);
        // As people ask: with the rights of their role.
        const string Sql = """
            SET ROLE telemetry_reader;
            SELECT readings, sum IS NULL, time_weighted_mean IS NULL
            FROM telemetry.windows WHERE revision > 0 ORDER BY start
            """;
        Task<IReadOnlyList<string>> Means() => database.Read(
            Sql, r => $"{r.GetInt64(0)} {r.GetBoolean(1)} {r.GetBoolean(2)}");
        Assert.Equal(["11 False False", "11 False False"], await Means());

        await database.Postgres.Retention.RunAsync(All, default);

        Assert.Equal(["11 False True", "11 False False"], await Means());
        // Those that come now are not the readings of the window.
        await sample.StoreLateAsync(25, second: 10);
        await sample.StoreLateAsync(25, second: 20);
        Assert.Equal(["13 False True", "11 False False"], await Means());
        Assert.Equal("0", await database.Row("""
            SELECT count(*) FROM telemetry.windows WHERE revision = 0 AND time_weighted_mean IS NULL
            """));
    }

    [Fact]
    public async Task Gateway_whose_watermark_and_lateness_reach_before_all_times_holds_up_no_other()
    {
        await using var database = await CreateDatabase(fixture);
        await StoreIndexed(database);
        await database.Execute($"""
            INSERT INTO telemetry.gateway
                (gateway, partition, stored, rejected, dropped, lost, watermark, fork, changed_at)
            VALUES ('gw-x', 0, 0, 0, 0, 0, timestamptz '1970-01-01Z' - interval '36028797018963968 microseconds', '',
                now());
            INSERT INTO telemetry.series (identity, device_id, gateway, device, metric, labels, type, unit,
                extra_lateness_micros)
            VALUES ('\\x09', 1, 'gw-x', 'd', 'a.x', '{"{}"}', 0, '', 36028797018963967)
            """);

        var report = await database.Postgres.Retention.RunAsync(All, default);

        Assert.True(report.Readings > 0);
    }

    private static async Task<int> Weeks(PostgresDatabase database, string table) => int.Parse(
        await database.Row($"""
            SELECT count(*) FROM pg_inherits
            WHERE inhparent = 'telemetry.{table}'::regclass AND inhrelid::regclass::text ~ '[0-9]+$'
            """),
        System.Globalization.CultureInfo.InvariantCulture);
}
