using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>What holds on TimescaleDB, of either edition.</summary>
public abstract class HypertableContract
{
    [Fact]
    public Task Tables_are_hypertables_and_Community_compresses_readings_and_parts() => RunAsync(async database =>
    {
        await database.OpenAnother();

        var edition = database.Postgres.Edition;
        Assert.NotEqual(DatabaseKind.PostgreSql, edition.Kind);
        Assert.NotNull(edition.TimescaleVersion);
        Assert.Equal(
            "frame_register, reading, window_part",
            await database.Row("SELECT string_agg(hypertable_name, ', ' ORDER BY hypertable_name) "
                + "FROM timescaledb_information.hypertables WHERE hypertable_schema = 'telemetry'"));
        Assert.Equal(
            edition.Kind == DatabaseKind.TimescaleCommunity ? "reading, window_part" : "",
            await database.Row("SELECT string_agg(hypertable_name, ', ' ORDER BY hypertable_name) "
                + "FROM timescaledb_information.jobs WHERE hypertable_schema = 'telemetry'"));
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
