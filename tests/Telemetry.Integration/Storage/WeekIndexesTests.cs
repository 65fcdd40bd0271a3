using Telemetry.Storage;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

/// <summary>
/// Plain PostgreSQL: a database whose weeks had no index by series goes on to work, and gets its indexes by and by.
/// </summary>
public sealed class WeekIndexesTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string IndexedWeeksSql = """
        SELECT count(*), bool_and(i.indisvalid), (SELECT indisvalid FROM pg_index
            WHERE indexrelid = 'telemetry.reading_series'::regclass)
        FROM pg_inherits h JOIN pg_index i ON i.indexrelid = h.inhrelid
        WHERE h.inhparent = 'telemetry.reading_series'::regclass
        """;

    [Fact]
    public async Task Readings_of_before_and_after_the_change_are_in_every_view_of_the_table()
    {
        await using var database = await Filled();
        await database.Execute("""
            CREATE VIEW public.mine WITH (security_barrier = true) AS SELECT time, i FROM telemetry.reading WHERE i > 10
            """);
        var before = await database.Row("SELECT count(*), sum(i) FROM telemetry.reading");

        await database.OpenAnother();
        Assert.Equal(before, await database.Row("SELECT count(*), sum(i) FROM telemetry.reading"));
        await database.Execute(
            "INSERT INTO telemetry.reading_arrived (time, i, series, flags) VALUES ('2026-01-05Z', 1000, 1, 0)");

        Assert.Equal("91", await database.Row("SELECT count(*) FROM public.mine"));
        Assert.Equal("101", await database.Row("SELECT count(*) FROM telemetry.reading_plain"));
        Assert.Equal("101", await database.Row("SELECT count(*) FROM telemetry.reading_number"));
        Assert.Equal("{security_barrier=true}", await database.Row(
            "SELECT reloptions::text FROM pg_class WHERE relname = 'mine'"));
    }

    [Fact]
    public async Task Weeks_that_have_readings_get_their_index_one_by_one_and_then_the_table_has_it()
    {
        await using var database = await Filled();
        await database.OpenAnother();
        Assert.Equal("1|True|False", await database.Row(IndexedWeeksSql)); // The default partition is empty.

        await database.IndexReadings();
        Assert.Equal("2|True|False", await database.Row(IndexedWeeksSql));
        await database.IndexReadings();
        Assert.Equal("3|True|True", await database.Row(IndexedWeeksSql));
        await database.IndexReadings();
        Assert.Equal("3|True|True", await database.Row(IndexedWeeksSql));
    }

    [Fact]
    public async Task Build_that_was_interrupted_is_begun_anew()
    {
        await using var database = await Filled();
        await database.OpenAnother();
        await using (var writer = await database.OpenConnection())
        {
            // A build waits for transactions that have written to the week.
            await using var transaction = await writer.BeginTransactionAsync();
            await using var command = new Npgsql.NpgsqlCommand(
                "INSERT INTO telemetry.reading_20260108 (time, series, flags) VALUES ('2026-01-09Z', 1, 0)", writer);
            await command.ExecuteNonQueryAsync();
            var build = database.Postgres.IndexReadingsAsync(default);
            while (await database.Row("""
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX%'
                """) == "0")
            {
                await database.Pause();
            }

            await Assert.ThrowsAsync<StoreException>(() => build);
        }

        Assert.Equal("False", await database.Row(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'telemetry.reading_20260108_series'::regclass"));
        await database.IndexReadings();
        Assert.Equal("2|True|False", await database.Row(IndexedWeeksSql));
        Assert.Equal("0", await database.Row("SELECT count(*) FROM pg_index WHERE NOT indisvalid "
            + "AND indexrelid <> 'telemetry.reading_series'::regclass"));
    }

    [Fact]
    public async Task Index_that_was_built_and_does_not_belong_to_the_table_yet_is_not_built_again()
    {
        await using var database = await Filled();
        await database.OpenAnother();
        await database.Execute(
            "CREATE INDEX reading_20260108_series ON telemetry.reading_20260108 (series, time)");
        var built = await database.Row("SELECT 'telemetry.reading_20260108_series'::regclass::oid");

        await database.IndexReadings();

        Assert.Equal("2|True|False", await database.Row(IndexedWeeksSql));
        Assert.Equal(built, await database.Row("SELECT 'telemetry.reading_20260108_series'::regclass::oid"));
    }

    [Fact]
    public async Task Materialized_view_stops_the_migration_and_the_message_says_what_to_do()
    {
        await using var database = await Filled();
        await database.Execute("CREATE MATERIALIZED VIEW public.kept AS SELECT time, i FROM telemetry.reading");

        var e = await Assert.ThrowsAsync<StoreException>(database.OpenAnother);

        Assert.Contains("materialized view kept reads", e.Message, StringComparison.Ordinal);
        await database.Execute("DROP MATERIALIZED VIEW public.kept");
        await database.OpenAnother();
    }

    // A hundred readings in two weeks, in a database of the version before.
    private async Task<PostgresDatabase> Filled()
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await using var connection = await database.OpenConnection();
        var edition = await DatabaseEdition.DetectAsync(connection, default);
        await MigrationRunner.RunAsync(connection, edition, migrate: true, default, until: 9);
        await database.Execute("""
            CREATE TABLE telemetry.reading_20260101 PARTITION OF telemetry.reading
                FOR VALUES FROM ('2026-01-01Z') TO ('2026-01-08Z');
            CREATE TABLE telemetry.reading_20260108 PARTITION OF telemetry.reading
                FOR VALUES FROM ('2026-01-08Z') TO ('2026-01-15Z');
            INSERT INTO telemetry.device (identity, gateway, device) VALUES ('\x01', 'gw-1', 'pump');
            INSERT INTO telemetry.series (identity, device_id, gateway, device, metric, labels, type, unit,
                extra_lateness_micros) VALUES ('\x02', 1, 'gw-1', 'pump', 'speed', '{}', 1, '', 0);
            INSERT INTO telemetry.reading (time, i, series, flags)
            SELECT timestamptz '2026-01-01Z' + n * interval '3 hours', n, 1, 0 FROM generate_series(1, 100) n
            """);
        return database;
    }
}
