using Npgsql;
using Telemetry.Storage;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>
/// What holds on TimescaleDB Community when rows of the columnstore are removed or merged: by an owner, by upkeep, by
/// retention.
/// </summary>
public abstract class ColumnstoreRemovalContract
{
    private const string DecompressedMax = "timescaledb.max_tuples_decompressed_per_dml_transaction";

    [Fact]
    public Task Windows_are_the_same_once_their_parts_in_the_columnstore_are_merged() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await database.Convert("reading");
        await sample.StoreLateAsync();
        await database.Execute(MergedWindows.KeepSql);
        await database.LetPartsAge();
        await database.Convert("window_part");

        await database.Postgres.Merging.RunAsync(default);

        Assert.Equal("1", await database.Row("SELECT max(parts) FROM telemetry.window_merged"));
        Assert.Equal(SampleWindows.CountsWithLate, await database.Row(SampleWindows.CountsSql));
        Assert.Empty(await sample.Differences());
        Assert.Equal("both, both", await database.Forms("window_part"));

        await database.KeepChunks();

        Assert.Equal("column, column", await database.Forms("window_part"));
        await database.Execute("UPDATE telemetry.window_part SET stored_at = stored_at + interval '8 days'");
        Assert.Empty(await database.Read(MergedWindows.ChangesSql, r => r.GetString(0)));
    });

    [Fact]
    public Task Merge_leaves_the_parts_of_other_series_in_the_columnstore() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await sample.StoreLateOfOneAsync();
        await database.LetPartsAge();
        await database.Convert("window_part");

        await database.Postgres.Merging.RunAsync(default);

        Assert.Equal(SampleWindows.WindowsOfOne / 2, database.Postgres.Merging.Merged);
        Assert.Equal(SampleWindows.WindowsOfOne, await database.RowsInRowForm("window_part"));
    });

    [Fact]
    public Task Removed_parts_of_open_windows_leave_the_columnstore_as_it_is() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await database.Convert("window_part");
        var before = await sample.Content();
        await sample.StoreOpenAsync();
        Assert.NotEqual(before, await sample.Content());

        await sample.RemoveOpenAsync();

        Assert.Equal(before, await sample.Content());
        Assert.Equal("column, column, row", await database.Forms("window_part"));
    });

    [Fact]
    public Task Removed_parts_in_the_columnstore_are_gone_however_many_there_are() => RunAsync(async database =>
    {
        // Also for connections that are open already, where all share one session.
        await database.Execute($"""
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {DecompressedMax} = 1', current_database()); END $$
            """);
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await database.Convert("window_part");
        await database.Execute($"SET {DecompressedMax} = 1");

        await sample.RemoveSecondHalfAsync();

        Assert.Equal(
            $"{SampleWindows.Windows / 2}|0|{SampleWindows.Readings / 2}", await database.Row(SampleWindows.CountsSql));
        Assert.Equal(SampleWindows.Windows / 2, (await sample.Differences()).Count);
    });

    [Fact]
    public Task Chunks_of_the_columnstore_in_which_everything_is_old_are_dropped() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);
        await database.Convert("reading");
        await database.Convert("window_part");

        var report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("*", 8, 20)), default);

        Assert.Equal((22 * RetentionSample.PerDay * 3, 10 * 6, 32), (report.Readings, report.Parts, report.Dropped));
        Assert.Equal((9, 21), (await database.Chunks("reading"), await database.Chunks("window_part")));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
    });

    [Fact]
    public Task Readings_and_windows_of_a_metric_are_deleted_from_the_columnstore() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);
        await database.Convert("reading");
        await database.Convert("window_part");
        await database.Execute($"SET {DecompressedMax} = 1");
        const string Others = """
            SELECT md5(string_agg(concat_ws('|', time, number, quality), ',' ORDER BY time)), count(*)
            FROM telemetry.readings WHERE metric = 'b'
            """;
        var before = await database.Row(Others);

        var report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("a.*", 8, 20)), default);

        Assert.Equal((22 * RetentionSample.PerDay * 2, 10 * 4, 0), (report.Readings, report.Parts, report.Dropped));
        Assert.Equal((8, 30), ((await sample.DaysOf("a.flow"))[0], (await sample.DaysOf("b"))[0]));
        Assert.Equal(20, (await sample.DaysOf("a.flow", "window_part", "start"))[0]);
        Assert.Equal(before, await database.Row(Others));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());

        // Late, of a time that is not kept: it is in row form, beside the columnstore.
        await sample.StoreLateAsync(25);
        Assert.Null(await sample.FindDifference());
        report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("a.*", 8, 20)), default);
        Assert.Equal((1, 1), (report.Readings, report.Parts));
        Assert.Null(await sample.FindDifference());
    });

    [Fact]
    public Task Run_that_fails_in_the_columnstore_leaves_books_that_balance() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);
        await database.Convert("reading");
        var rules = RetentionSample.Rules(("a.*", 8, null));
        await database.Execute("""
            CREATE FUNCTION telemetry.crash() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT sum(removed) FROM telemetry.retirement_count) > 150 THEN
                    RAISE EXCEPTION 'planted';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER crash BEFORE INSERT ON telemetry.retirement_count EXECUTE FUNCTION telemetry.crash()
            """);

        await Assert.ThrowsAsync<StoreException>(() => database.Postgres.Retention.RunAsync(rules, default));

        Assert.Equal("160", await database.Row("SELECT retired FROM telemetry.books"));
        Assert.Null(await sample.FindDifference());
        Assert.Empty(await sample.Differences());
        await database.Execute("DROP TRIGGER crash ON telemetry.retirement_count");
        var report = await database.Postgres.Retention.RunAsync(rules, default);
        Assert.Equal((22 * RetentionSample.PerDay * 2) - 160, report.Readings);
        Assert.Null(await sample.FindDifference());
    });

    [Fact]
    public Task Frozen_chunk_is_kept_and_not_counted_as_removed() => RunAsync(async database =>
    {
        var sample = await RetentionSample.OpenAsync(database);
        await database.Convert("reading");
        await database.Execute("SELECT _timescaledb_functions.freeze_chunk(c) FROM show_chunks('telemetry.reading') c "
            + "ORDER BY c LIMIT 1");

        var report = await database.Postgres.Retention.RunAsync(RetentionSample.Rules(("*", 8, null)), default);

        Assert.Equal(21 * RetentionSample.PerDay * 3, report.Readings);
        Assert.False(report.IsDelayed);
        Assert.Null(await sample.FindDifference());
    });

    [Fact]
    public Task Conversion_of_parts_waits_for_a_merge() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await using (var other = await database.OpenConnection())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var merge = new NpgsqlCommand("SELECT telemetry.merge_parts('{}', '{}', '{}', now())", other);
            await merge.ExecuteNonQueryAsync();

            await database.KeepChunks();

            Assert.Equal("row, row", await database.Forms("window_part"));
            Assert.Equal("column, column", await database.Forms("reading"));
        }

        await database.KeepChunks();

        Assert.Equal("column, column", await database.Forms("window_part"));
    });

    /// <summary>
    /// Makes an empty database without tables, and runs the test on it; a warning of SQLSTATE 01000 fails it.
    /// </summary>
    internal abstract Task RunAsync(Func<PostgresDatabase, Task> test);
}
