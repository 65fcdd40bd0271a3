using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>Upkeep merges the parts of windows that have been complete for long, and no others.</summary>
public sealed class WindowMergingTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long Minute = 60_000_000, Start = 1_700_000_040_000_000;

    private const string PartsSql = """
        SELECT string_agg(concat(s.gateway, ' ', ((extract(epoch FROM m.start) - 1700000040) / 60)::int, ' ', m.parts),
            ', ' ORDER BY s.gateway, m.start)
        FROM telemetry.window_merged m JOIN telemetry.series s ON s.id = m.series
        """;

    [Fact]
    public async Task Parts_are_merged_once_their_window_has_been_complete_for_so_long()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Stored(database);

        await database.LetPartsAge(days: 6);
        await database.Postgres.Merging.RunAsync(default);
        Assert.Equal("gw-1 0 2, gw-1 1 2, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));

        await database.LetPartsAge(days: 1);
        await database.Postgres.Merging.RunAsync(default);
        Assert.Equal("gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
    }

    [Fact]
    public async Task Parts_of_incomplete_windows_stay_apart_however_old_they_are()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Stored(database);

        await database.MergeOldParts();
        Assert.Equal("gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
        Assert.Equal(2, database.Postgres.Merging.Merged);

        // The extra lateness counts too.
        await database.Execute($"""
            UPDATE telemetry.gateway SET watermark = timestamptz '1970-01-01Z' + interval '{Start + (4 * Minute)}us';
            UPDATE telemetry.series SET extra_lateness_micros = 1
            """);
        await database.MergeOldParts();
        Assert.Equal("gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
        await database.Execute("UPDATE telemetry.gateway SET watermark = watermark + interval '1us'");
        await database.MergeOldParts();
        Assert.Equal("gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 1", await database.Row(PartsSql));
    }

    [Fact]
    public async Task Late_part_stays_apart_for_as_long_so_that_windows_as_of_a_time_are_known()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (row, series) = await Stored(database);
        await database.MergeOldParts();
        await database.Execute("UPDATE telemetry.window_part SET stored_at = stored_at - interval '8 days'");
        var then = await database.Row("SELECT now()::text");
        await Commit(database.Store, row, c => AddLate(c, Part(series, 1, 30_000_000, 100)));
        const string AsOf = "SELECT string_agg(sum::text, ' ' ORDER BY start) FROM telemetry.windows_as_of('{0}')";
        var before = await database.Row(string.Format(null, AsOf, then));

        await database.Postgres.Merging.RunAsync(default);

        Assert.Equal("gw-1 0 1, gw-1 1 2, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
        Assert.Equal(before, await database.Row(string.Format(null, AsOf, then)));
        await database.Execute(MergedWindows.KeepSql);
        await database.MergeOldParts();
        Assert.Equal("gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
        Assert.Equal("1", await database.Row("SELECT revision FROM telemetry.windows WHERE sum > 100"));
    }

    [Fact]
    public async Task Mean_of_values_out_of_the_order_of_their_times_is_null_where_readings_are_gone()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (row, series) = await Stored(database);
        // One part, out of order, and two that overlap.
        await Commit(database.Store, row, c => c.Parts.AddRange(
        [
            Part(series, -1, [3, 30_000_000, 10_000_000], [1, 2, 3]), Part(series, -2, [0, 20_000_000], [1, 2]),
            Part(series, -2, [10_000_000, 30_000_000], [1, 2]),
        ]));

        await database.MergeOldParts();

        Assert.Equal(
            "1 6 True, 1 6 True, 1 0 False, 1 0 False, 1 0 False, 2 0 False",
            await database.Row("""
                SELECT string_agg(concat_ws(' ', m.parts, p.flags & 6, CASE WHEN m.time_weighted_mean IS NULL
                    THEN 'True' ELSE 'False' END), ', ' ORDER BY start)
                FROM telemetry.window_merged m
                CROSS JOIN LATERAL (SELECT flags FROM telemetry.window_part p
                    WHERE p.series = m.series AND p.start = m.start LIMIT 1) p
                """));
        var merged = database.Postgres.Merging.Merged;
        await database.Execute("DELETE FROM telemetry.window_merging");
        await database.MergeOldParts();
        Assert.Equal(merged, database.Postgres.Merging.Merged);
    }

    [Fact]
    public async Task Merger_whose_session_is_ended_in_a_step_loses_and_doubles_nothing()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (row, _) = await Stored(database);
        await Stored(database, Other, row);
        await database.Execute(MergedWindows.KeepSql);
        await database.LetPartsAge();
        await using (var holder = await database.OpenConnection())
        {
            await using var transaction = await holder.BeginTransactionAsync();
            await Lock(holder);
            var merging = database.Postgres.Merging.RunAsync(default);
            await database.EndWaiting("SELECT telemetry.merge_parts%");
            await Assert.ThrowsAsync<StoreException>(() => merging);
        }

        Assert.Equal(
            "gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2, gw-2 0 2, gw-2 1 2, gw-2 2 1, gw-2 3 2",
            await database.Row(PartsSql));

        await database.UntilNobodyLocks();
        await database.Postgres.Merging.RunAsync(default);
        Assert.Equal(
            "gw-1 0 1, gw-1 1 1, gw-1 2 1, gw-1 3 2, gw-2 0 1, gw-2 1 1, gw-2 2 1, gw-2 3 2",
            await database.Row(PartsSql));
        await database.Execute("UPDATE telemetry.window_part SET stored_at = stored_at + interval '8 days'");
        Assert.Empty(await database.Read(MergedWindows.ChangesSql, r => r.GetString(0)));
    }

    [Fact]
    public async Task Late_part_that_is_stored_beside_a_merge_stays_apart()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (row, series) = await Stored(database);
        await database.LetPartsAge();
        await using var holder = await database.OpenConnection();
        await using (var transaction = await holder.BeginTransactionAsync())
        {
            await Lock(holder);
            var merging = database.Postgres.Merging.RunAsync(default);
            await database.UntilWaiting("SELECT telemetry.merge_parts%");
            await Commit(database.Store, row, c => AddLate(c, Part(series, 1, 30_000_000, 100)));
            await transaction.RollbackAsync();
            await merging;
        }

        Assert.Equal("gw-1 0 1, gw-1 1 2, gw-1 2 1, gw-1 3 2", await database.Row(PartsSql));
        Assert.Equal("106", await database.Row(
            "SELECT sum FROM telemetry.windows ORDER BY start OFFSET 1 LIMIT 1"));
    }

    [Fact]
    public async Task Parts_that_are_removed_beside_a_merge_do_not_come_back()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Stored(database);
        await database.LetPartsAge();
        await using var holder = await database.OpenConnection();
        await using (var transaction = await holder.BeginTransactionAsync())
        {
            await using var command = new NpgsqlCommand("DELETE FROM telemetry.window_part", holder);
            await command.ExecuteNonQueryAsync();
            var merging = database.Postgres.Merging.RunAsync(default);
            await database.UntilWaiting("SELECT telemetry.merge_parts%");
            await transaction.CommitAsync();
            await Assert.ThrowsAsync<StoreException>(() => merging);
        }

        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.window_part"));
    }

    [Fact]
    public async Task Windows_that_others_change_in_the_middle_of_a_day_leave_none_of_the_others_out()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        SeriesEntry series = null!;
        await Commit(database.Store, await Take(database.Store), c =>
        {
            var schema = Extend(SeriesList.Empty(Gateway), Series("pump", "flow"));
            c.Schemas.Add(schema);
            series = schema.List.Entries[0];
            c.Gateways.Add(GatewayRow.New(Gateway, 0) with { Watermark = Start + (1400 * Minute) });
            for (var minute = 110; minute < 1310; minute++)
            {
                c.Parts.Add(Part(series, minute, 1_000_000, 1, 2));
                c.Parts.Add(Part(series, minute, 5_000_000, 1, 2));
            }
        });
        await database.LetPartsAge();
        await using var other = await database.OpenConnection();
        await using (var transaction = await other.BeginTransactionAsync())
        {
            await using var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({PartMerging.StepLock})", other);
            await command.ExecuteNonQueryAsync();
            var merging = database.Postgres.Merging.RunAsync(default);
            await database.UntilWaiting("SELECT telemetry.merge_parts%");
            await database.Execute("""
                UPDATE telemetry.window_part SET stored_at = now()
                WHERE ctid = (SELECT ctid FROM telemetry.window_part ORDER BY start LIMIT 1)
                """);
            await transaction.RollbackAsync();
            await merging;
        }

        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.window_merged WHERE parts > 1"));
    }

    [Fact]
    public async Task Week_is_made_while_parts_are_merged()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await using var other = await database.OpenConnection();
        await using var transaction = await other.BeginTransactionAsync();
        await using var merge = new NpgsqlCommand("SELECT telemetry.merge_parts('{}', '{}', '{}', now())", other);
        await merge.ExecuteNonQueryAsync();

        await Stored(database);

        Assert.Equal(0, database.Postgres.PartitionsLeftToDefault);
    }

    [Fact]
    public async Task Only_one_process_merges_at_a_time()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Stored(database);
        await database.LetPartsAge();
        await using (var other = await database.OpenConnection())
        {
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(8387229063930278503)", other);
            await command.ExecuteNonQueryAsync();
            await database.Postgres.Merging.RunAsync(default);
            Assert.Equal("2", await database.Row("SELECT max(parts) FROM telemetry.window_merged"));
        }

        await database.UntilNobodyLocks();
        await database.Postgres.Merging.RunAsync(default);
        Assert.Equal(2, database.Postgres.Merging.Merged);
    }

    [Fact]
    public async Task Sums_beyond_64_bits_and_sums_of_hashes_stay_as_they_are()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            var series = c.Register(MetricType.Int);
            c.Gateways.Add(GatewayRow.New(Gateway, 0) with { Watermark = Start + Minute });
            foreach (var value in (long[])[long.MaxValue, long.MaxValue, long.MinValue + 1])
            {
                var part = new WindowPart().Begin(series, new WindowSpan(Start, 60));
                part.Add(Start, ReadingFlags.None, (ulong)value, ulong.MaxValue / 3);
                c.Parts.Add(part);
                part = new WindowPart().Begin(series, new WindowSpan(Start - Minute, 60));
                part.Add(part.Start, ReadingFlags.None, (ulong)Math.Abs(value), 1UL << 63);
                c.Parts.Add(part);
            }
        });
        await database.Execute(MergedWindows.KeepSql);

        await database.MergeOldParts();

        Assert.Empty(await database.Read(MergedWindows.ChangesSql, r => r.GetString(0)));
        Assert.Equal(
            "-9223372036854775808|, -1|9223372036854775807",
            await database.Row(
                "SELECT string_agg(concat_ws('|', hash_sum, coalesce(i_sum::text, '')), ', ' ORDER BY start) "
                + "FROM telemetry.window_part"));
    }

    // Four minutes of a series, the watermark after the third.
    private static async Task<(PartitionRow Row, SeriesEntry Series)> Stored(
        PostgresDatabase database, GatewayId? gateway = null, PartitionRow? from = null)
    {
        SeriesEntry series = null!;
        var name = gateway ?? Gateway;
        var row = await Commit(database.Store, from ?? await Take(database.Store), c =>
        {
            var schema = Extend(SeriesList.Empty(name), Series("pump", "flow"));
            c.Schemas.Add(schema);
            series = schema.List.Entries[0];
            c.Gateways.Add(GatewayRow.New(name, 0) with { Watermark = Start + (3 * Minute) });
            foreach (var (minute, second) in ((int, int)[])[(0, 1), (0, 5), (1, 1), (1, 5), (2, 1), (3, 1), (3, 5)])
            {
                c.Parts.Add(Part(series, minute, second * 1_000_000, 1, 2));
            }
        });
        return (row, series);
    }

    private static void AddLate(StoreCommit commit, WindowPart part)
    {
        part.IsLate = true;
        commit.Parts.Add(part);
        commit.Revisions.Add(new WindowRevisionRow(
            Gateway, new FrameKey(9, Lane.Backlog, 1, 5), RevisionCause.Late, part));
    }

    private static WindowPart Part(SeriesEntry series, int minute, int micros, params double[] values) =>
        Part(series, minute, [micros, .. Enumerable.Range(1, values.Length - 1).Select(i => micros + i)], values);

    private static WindowPart Part(SeriesEntry series, int minute, int[] micros, double[] values)
    {
        var part = new WindowPart().Begin(series, new WindowSpan(Start + (minute * Minute), 60));
        foreach (var (time, value) in micros.Zip(values))
        {
            part.Add(part.Start + time, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(value), 1);
        }

        return part;
    }

    // The last gateway's parts cannot be removed meanwhile.
    private static async Task Lock(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT FROM telemetry.window_part
            WHERE series = (SELECT id FROM telemetry.series ORDER BY gateway DESC LIMIT 1) FOR UPDATE
            """,
            connection);
        await command.ExecuteNonQueryAsync();
    }
}
