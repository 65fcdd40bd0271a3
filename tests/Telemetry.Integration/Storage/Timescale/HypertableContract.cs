using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Chunks;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>What holds on TimescaleDB, of either edition.</summary>
public abstract class HypertableContract
{
    private const long Day = 86_400 * WindowSpan.MicrosOfSecond;

    private const string LengthsSql = """
        SELECT max(time_interval) FILTER (WHERE hypertable_name = 'reading'),
               max(time_interval) FILTER (WHERE hypertable_name = 'window_part')
        FROM timescaledb_information.dimensions WHERE hypertable_schema = 'telemetry'
        """;

    [Fact]
    public Task Tables_are_hypertables() => RunAsync(async database =>
    {
        await database.OpenAnother();

        var edition = database.Postgres.Edition;
        Assert.NotEqual(DatabaseKind.PostgreSql, edition.Kind);
        Assert.NotNull(edition.TimescaleVersion);
        Assert.Equal(
            "frame_register, reading, window_part",
            await database.Row("SELECT string_agg(hypertable_name, ', ' ORDER BY hypertable_name) "
                + "FROM timescaledb_information.hypertables WHERE hypertable_schema = 'telemetry'"));
    });

    [Fact]
    public Task Migration_of_readings_from_version_6_keeps_every_value() => RunAsync(async database =>
    {
        await SixthVersion.MakeAsync(database);
        await SixthVersion.FillAsync(database, 5_000);
        var before = await database.Row(SixthVersion.OldContent);
        Assert.StartsWith("5000 ", before, StringComparison.Ordinal);

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(SixthVersion.NewContent));
        Assert.Equal(
            $"{MigrationRunner.Version}", await database.Row("SELECT max(version) FROM telemetry.telemetry_schema"));
    });

    [Fact]
    public Task New_chunks_are_an_hour_long_until_the_rate_is_known_and_shorter_when_it_is_high() =>
        RunAsync(async database =>
        {
            await database.OpenAnother();
            Assert.Equal("01:00:00|01:00:00", await database.Row(LengthsSql));
            await database.Execute("SELECT set_chunk_time_interval('telemetry.reading', interval '7 days')");
            var now = ColumnValues.Micros(DateTime.UtcNow);
            await StoreSteps.Commit(database.Store, await StoreSteps.Take(database.Store), commit =>
            {
                var series = commit.Register(MetricType.Int);
                commit.Readings.Add(series, now - WindowSpan.MicrosOfSecond, ReadingFlags.None, 1);
            });
            await database.Postgres.IndexReadingsAsync(default);
            Assert.Equal("7.00:00:00|01:00:00", await database.Row(LengthsSql));

            await database.KeepChunks(chunkBytes: 1);

            Assert.Equal("01:00:00|01:00:00", await database.Row(LengthsSql));
        });

    [Fact]
    public Task Newest_reading_of_each_series_is_found_in_chunks_of_every_form() => RunAsync(async database =>
    {
        await database.OpenAnother();
        var now = ColumnValues.Micros(DateTime.UtcNow);
        SeriesEntry? open = null, closed = null, late = null, old = null;
        var row = await StoreSteps.Commit(database.Store, await StoreSteps.Take(database.Store), c =>
        {
            (open, closed) = (c.Register(MetricType.Int), c.Register(MetricType.Float, 2));
            (late, old) = (c.Register(MetricType.Text), c.Register(MetricType.UInt));
            foreach (var series in (SeriesEntry[])[open, closed])
            {
                c.Readings.Add(series, now - (90 * Day), ReadingFlags.None, 0);
                c.Readings.Add(series, now - (4 * Day), ReadingFlags.None, BitConverter.DoubleToUInt64Bits(1.25));
            }

            c.Readings.AddText(late, now - (4 * Day), ReadingFlags.None, "early"u8);
            c.Readings.Add(old, now - (900 * Day), ReadingFlags.None, ulong.MaxValue);
        });
        await database.KeepChunks();
        await StoreSteps.Commit(database.Store, row, c =>
        {
            c.Readings.Add(open!, now, ReadingFlags.None, 7);
            c.Readings.AddText(late!, now - (4 * Day) + 1, ReadingFlags.None, "late"u8);
        });

        Assert.Equal(
            ["float 1.25", "int 7", "text late", "uint 18446744073709551615"],
            await database.Read(
                "SELECT lower(split_part(metric, ' ', 1)) || ' ' || coalesce(\"integer\"::text, number::text, text) "
                + $"FROM telemetry.latest_readings('{StoreSteps.Gateway}') ORDER BY 1",
                r => r.GetString(0)));
        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.latest_readings('gw-2')"));
    });

    [Fact]
    public Task Index_of_a_closed_chunk_is_built_once_and_anew_where_it_was_interrupted() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await using var connection = await database.OpenConnection();
        var indexes = new ChunkIndexes(connection);
        var due = await Due();
        Assert.Equal(2, due.Count);

        await indexes.BuildAsync(due[0], default);
        Assert.Equal([due[1]], await Due());
        await database.Execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
            + $"'{due[0].Name}_by_series'::regclass");
        Assert.Equal(due, await Due());
        await indexes.BuildAsync(due[0], default);
        await indexes.BuildAsync(due[1], default);

        Assert.Empty(await Due());
        Assert.Equal("2|True", await database.Row("SELECT count(*), bool_and(indisvalid) FROM pg_index i "
            + "JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE '%\\_chunk\\_by\\_series'"));
        await sample.StoreLateAsync();
        Assert.Empty(await sample.Differences());

        async Task<IReadOnlyList<Chunk>> Due() =>
            await indexes.DueAsync(await ChunkQueries.ReadAsync(connection, default), DateTime.UtcNow, default);
    });

    [Fact]
    public Task Chunk_that_is_dropped_while_another_one_is_converted_stops_nothing() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await using var writer = await database.OpenConnection();
        var readings = (await ChunkQueries.ReadAsync(writer, default)).Where(c => c.Table == "reading").ToList();
        Assert.Equal(2, readings.Count);
        await using var transaction = await writer.BeginTransactionAsync();
        await using var holding = new NpgsqlCommand($"LOCK TABLE {readings[0].Name} IN ROW EXCLUSIVE MODE", writer);
        await holding.ExecuteNonQueryAsync();
        var upkeep = database.KeepChunks(lockWait: TimeSpan.FromMinutes(5));
        await database.UntilWaiting($"%{readings[0].Name.Split('.')[1]}%");

        // It is the older one: upkeep saw it, and comes to it later.
        await database.Execute($"SELECT drop_chunks('telemetry.reading', timestamptz '{readings[1].To:O}')");
        await transaction.CommitAsync();
        await upkeep;

        var hasColumnstore = database.Postgres.Edition.Kind == DatabaseKind.TimescaleCommunity;
        Assert.Equal(hasColumnstore ? "column" : "row", await database.Forms("reading"));
        Assert.Equal(hasColumnstore ? "column, column" : "row, row", await database.Forms("window_part"));
        Assert.Equal(hasColumnstore ? "0" : "1", await database.Row(
            "SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_chunk\\_by\\_series'"));
    });

    [Fact]
    public Task Migrations_from_version_8_keep_windows_with_their_parts() => RunAsync(async database =>
    {
        await EighthVersion.FillAsync(database);
        var before = await EighthVersion.Windows(database);
        Assert.Equal(EighthVersion.WindowsOfAll, before.Count);
        Assert.All(before, window => Assert.Contains("|t|", window, StringComparison.Ordinal));

        await database.OpenAnother();

        Assert.Equal(
            $"{MigrationRunner.Version}", await database.Row("SELECT max(version) FROM telemetry.telemetry_schema"));
        Assert.Equal(before, await EighthVersion.Windows(database));
        Assert.Empty(await database.Read("SELECT found FROM telemetry.window_check('90 days')", r => r.GetString(0)));

        // Upkeep converts what version 8 left to a policy of the server.
        await database.KeepChunks();
        await database.KeepChunks();
        Assert.Equal(before, await EighthVersion.Windows(database));
        Assert.Empty(await database.Read("SELECT found FROM telemetry.window_check('90 days')", r => r.GetString(0)));
    });

    [Fact]
    public Task Views_of_a_database_of_version_8_are_those_of_a_new_one() => RunAsync(async database =>
    {
        await EighthVersion.FillAsync(database);
        await database.OpenAnother();
        var upgraded = await ViewMakingTests.Texts(database);

        await database.Execute("DROP SCHEMA telemetry CASCADE");
        await database.OpenAnother();

        Assert.InRange(upgraded.Count, 40, 1000);
        Assert.Equal(await ViewMakingTests.Texts(database), upgraded);
    });

    [Fact]
    public Task Windows_of_two_chunks_agree_with_their_readings() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);

        await sample.StoreAsync();

        Assert.Equal(2, await database.Chunks("reading"));
        Assert.Equal(2, await database.Chunks("window_part"));
        Assert.Equal(
            $"{SampleWindows.Windows}|0|{SampleWindows.Readings}", await database.Row(SampleWindows.CountsSql));
        Assert.Empty(await sample.Differences());
    });

    [Fact]
    public Task Late_readings_of_older_chunks_make_revisions() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();

        await sample.StoreLateAsync();

        Assert.Equal(SampleWindows.CountsWithLate, await database.Row(SampleWindows.CountsSql));
        Assert.Empty(await sample.Differences());
    });

    [Fact]
    public Task Part_that_is_missing_shows_as_a_difference() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();

        await database.Execute("DELETE FROM telemetry.window_part WHERE start = (SELECT min(start) FROM "
            + "telemetry.window_part) AND series = (SELECT min(series) FROM telemetry.window_part)");

        Assert.Single(await sample.Differences());
    });

    [Fact]
    public Task Chunks_in_which_everything_is_old_are_dropped_and_counted() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);

        var report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("*", 8, 20)), default);

        Assert.Equal((9, 21), (await database.Chunks("reading"), await database.Chunks("window_part")));
        Assert.Equal((22 * RetentionSample.PerDay * 3, 10 * 6, 32), (report.Readings, report.Parts, report.Dropped));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());

        // It makes a chunk again.
        await sample.StoreLateAsync(25);
        Assert.Equal(25, (await sample.DaysOf("a.flow"))[0]);
        Assert.Equal(20, (await sample.DaysOf("a.flow", "window_merged", "start"))[0]);
        Assert.Null(await sample.FindDifference());
        report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("*", 8, 20)), default);
        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Equal((9, 21), (await database.Chunks("reading"), await database.Chunks("window_part")));
        Assert.Null(await sample.FindDifference());
    });

    [Fact]
    public Task Readings_and_windows_of_a_metric_are_deleted_from_chunks_with_others() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);

        var report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("a.*", 8, 20)), default);

        Assert.Equal((22 * RetentionSample.PerDay * 2, 10 * 4, 0), (report.Readings, report.Parts, report.Dropped));
        Assert.Equal((8, 30), ((await sample.DaysOf("a.flow"))[0], (await sample.DaysOf("b"))[0]));
        Assert.Equal(20, (await sample.DaysOf("a.flow", "window_part", "start"))[0]);
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
        report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("a.*", 8, 20)), default);
        Assert.Equal((0, 0), (report.Readings, report.Parts));
    });

    /// <summary>
    /// Makes a database with TimescaleDB and without tables, and runs the test on it; a warning of SQLSTATE 01000 fails
    /// it.
    /// </summary>
    internal abstract Task RunAsync(Func<PostgresDatabase, Task> test);
}
