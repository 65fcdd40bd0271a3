using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>What the views of windows say beside the aggregates.</summary>
public sealed class WindowViewTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long Minute = 60_000_000, Start = 1_700_000_040_000_000;
    private static readonly FrameKey Key = new(0xABCD, Lane.Backlog, 100, 50);
    private static readonly SeriesDefinition Flow = Series("pump", "flow") with { ExtraLatenessMicros = 5_000_000 };

    [Fact]
    public async Task Window_is_complete_once_the_watermark_less_its_extra_lateness_has_reached_its_end()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var row = await Commit(database.Store, await Take(database.Store), c =>
            c.Parts.Add(Part(c.Register(Flow), 0, 1)));

        Assert.Equal("False", await Row(database, "complete"));
        foreach (var (watermark, complete) in ((long, string)[])[
            (Start + Minute + 4_999_999, "False"), (Start + Minute + 5_000_000, "True")])
        {
            row = await Commit(database.Store, row, c => c.Gateways.Add(
                GatewayRow.New(Gateway, 0) with { Watermark = watermark }));
            Assert.Equal(complete, await Row(database, "complete"));
        }
    }

    [Fact]
    public async Task Revision_counts_the_commits_that_changed_a_complete_window_and_names_their_frames()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        SeriesEntry series = null!;
        var row = await Commit(database.Store, await Take(database.Store), c =>
            c.Parts.AddRange([Part(series = c.Register(Flow), 0, 1), Part(series, 1, 1)]));
        Assert.Equal("0", await Row(database, "revision"));

        void Late(StoreCommit c, FrameKey key, RevisionCause cause, params double[] values)
        {
            var part = Part(series, 0, values);
            c.Parts.Add(part);
            c.Revisions.Add(new WindowRevisionRow(Gateway, key, cause, part));
        }

        row = await Commit(database.Store, row, c =>
        {
            Late(c, Key, RevisionCause.Late, 2, 3);
            Late(c, Key with { Lane = Lane.Live, First = 7, Count = 1 }, RevisionCause.Recovered, 4);
        });
        Assert.Equal("1", await Row(database, "revision"));
        await Commit(database.Store, row, c => Late(c, Key with { Lane = Lane.Critical }, RevisionCause.Retried, 5));

        Assert.Equal("2|15", await Row(database, "revision, sum"));
        Assert.Equal("0|1", await database.Row(
            "SELECT revision, sum FROM telemetry.windows ORDER BY start DESC LIMIT 1"));
        Assert.Equal(
            "True",
            await Row(
                database, "changed_at = (SELECT max(stored_at) FROM telemetry.window_part WHERE series = w.series)"));
        Assert.Equal(
            [
                "gw-1 pump flow late 2 2 5 gw-1/abcd/backlog/100+50",
                "gw-1 pump flow recovered 1 1 4 gw-1/abcd/live/7+1",
                "gw-1 pump flow retried 1 1 5 gw-1/abcd/critical/100+50",
            ],
            await database.Read(
                """
                SELECT concat_ws(' ', gateway, device, metric, cause, readings, numbers, sum, frame)
                FROM telemetry.window_revisions WHERE until = start + interval '1 minute' AND at <= now() ORDER BY cause
                """,
                r => r.GetString(0)));
    }

    [Fact]
    public async Task Window_says_what_was_dropped_and_rejected_and_may_be_lost_of_it()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        SeriesEntry series = null!, other = null!;
        DropLedgerRow Drop(SeriesEntry of, long first, long last, int count) => new(
            Gateway, Key, of.Identity, new Declaration(0, count, Start + first, Start + last, DropReason.Quota));
        DeadLetterRow Letter(SeriesEntry of, long time) => new(
            Gateway, Key, DeadLetterReason.Database, "refused", 1, of.Identity, Start + time, (byte[])[1]);
        var row = await Commit(database.Store, await Take(database.Store), c =>
        {
            (series, other) = (c.Register(Flow), c.Register(MetricType.Int));
            c.Parts.AddRange([Part(series, -1, 1), Part(series, 0, 1), Part(series, 1, 1), Part(series, 2, 1)]);
            c.Drops.AddRange([
                Drop(series, -5, 0, 3), Drop(series, Minute - 1, Minute, 4), Drop(series, 2 * Minute, 2 * Minute, 9),
                Drop(other, 0, Minute, 100)]);
            c.DeadLetters.AddRange([
                Letter(series, 0), Letter(series, Minute - 1), Letter(series, Minute), Letter(other, 5),
                Letter(series, 5) with { Readings = 0, Reason = DeadLetterReason.Fork }]);
            c.Frames.AddRange([Register(1, 10, -Minute), Register(16, 5, Minute)]);
        });

        // 11-15 between frames of the minutes before and after, 21-22 after the last frame that is known.
        row = await Commit(database.Store, row, c => c.Runs.AddRange([Lost(11, 15), Lost(21, 22)]));

        Assert.Equal(
            ["-1 3 0 5", "0 7 2 5", "1 4 1 7", "2 9 0 2"],
            await database.Read(Missing, r => r.GetString(0)));
        // Of the drop of the last minute alone it is known that it belongs to its window.
        Assert.Equal(
            [
                "0 8 -00:01:00 00:01:00", "2 14 -00:01:00 00:01:00", "1 12 -00:01:00 infinity",
                "9 11 00:01:00 infinity",
            ],
            await database.Read(Bounds, r => r.GetString(0)));

        await database.Execute("UPDATE telemetry.dead_letter SET retried_at = now() WHERE time_micros = " + Start);
        await Commit(database.Store, row, c => c.RemovedRuns.Add(new RunId(Gateway, 7, Lane.Live, 11)));
        Assert.Equal(
            ["-1 3 0 0", "0 7 1 0", "1 4 1 2", "2 9 0 2"],
            await database.Read(Missing, r => r.GetString(0)));
    }

    [Fact]
    public async Task Window_that_misses_nothing_says_so_without_times()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c => c.Parts.Add(Part(c.Register(Flow), 0, 1)));

        Assert.Equal("0|0||", await Row(database, "missing, missing_at_most, missing_first, missing_last"));
    }

    [Fact]
    public async Task Windows_as_of_a_time_leave_out_what_was_stored_later()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        SeriesEntry series = null!;
        var before = await database.Row("SELECT now()::text");
        var row = await Commit(database.Store, await Take(database.Store), c =>
            c.Parts.AddRange([Part(series = c.Register(Flow), 0, 1, 2), Part(series, 1, 8)]));
        var then = await database.Row("SELECT now()::text");
        await Commit(database.Store, row, c => c.Parts.AddRange([Part(series, 0, 0.5, 9), Part(series, 3, 7)]));

        const string Sql = """
            SELECT concat_ws(' ', gateway, device, metric, extract(minute FROM start)::int, until - start, readings,
                numbers, sum, mean, min, max) FROM telemetry.windows_as_of('{0}') ORDER BY start
            """;
        Task<IReadOnlyList<string>> AsOf(string time) =>
            database.Read(string.Format(null, Sql, time), r => r.GetString(0));
        Assert.Empty(await AsOf(before));
        Assert.Equal(
            ["gw-1 pump flow 14 00:01:00 2 2 3 1.5 1 2", "gw-1 pump flow 15 00:01:00 1 1 8 8 8 8"], await AsOf(then));
        Assert.Equal(
            [
                "gw-1 pump flow 14 00:01:00 4 4 12.5 3.125 0.5 9", "gw-1 pump flow 15 00:01:00 1 1 8 8 8 8",
                "gw-1 pump flow 17 00:01:00 1 1 7 7 7 7",
            ],
            await AsOf("infinity"));
    }

    [Fact]
    public async Task Time_weighted_mean_of_parts_that_overlap_is_that_of_the_readings_wherever_they_are()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            ArrivedReadings = 1,
        });
        SeriesEntry series = null!;
        void Store(StoreCommit commit, params long[] seconds)
        {
            var part = new WindowPart().Begin(series, new WindowSpan(Start, 60));
            foreach (var second in seconds)
            {
                var time = Start + (second * 1_000_000);
                var value = BitConverter.DoubleToUInt64Bits(1 << (int)second / 10);
                commit.Readings.Add(series, time, ReadingFlags.None, value);
                part.Add(time, ReadingFlags.None, value, 1);
            }

            commit.Parts.Add(part);
        }

        // 1, 2, 4 and 8, each for ten seconds, and 16.
        Task<string> AsReader() => database.Row("""
            SET ROLE telemetry_reader; SELECT numbers, time_weighted_mean FROM telemetry.windows
            """);

        var row = await Commit(database.Store, await Take(database.Store), c =>
        {
            series = c.Register(Flow);
            Store(c, 0, 20, 40);
        });
        await database.IndexReadings();
        await Commit(database.Store, row, c => Store(c, 10, 30));
        Assert.Equal("2|3", await database.Row("""
            SELECT count(*) FILTER (WHERE arrived), count(*) FILTER (WHERE NOT arrived) FROM telemetry.reading_number
            """));
        Assert.Equal("5|3.75", await AsReader());
        await database.IndexReadings();
        Assert.Equal("5|3.75", await AsReader());
    }

    [Fact]
    public async Task Sum_of_several_parts_of_integers_is_exact_beyond_64_bits()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            var series = c.Register(MetricType.Int);
            foreach (var value in (long[])[long.MaxValue, long.MaxValue, long.MinValue, long.MinValue, 5])
            {
                var part = new WindowPart().Begin(series, new WindowSpan(Start, 60));
                part.Add(Start, ReadingFlags.None, (ulong)value, 1);
                c.Parts.Add(part);
            }
        });

        Assert.Equal("3", await Row(database, "sum"));
    }

    [Fact]
    public async Task Widths_of_series_follow_the_patterns_and_times_of_their_table()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c =>
            ((string[])["temp_a", "tempXa", "flow%"]).ToList().ForEach(m => c.Register(Series("pump", m))));
        await database.Execute("""
            INSERT INTO telemetry.window_width (metric, width_seconds, valid_from, added_at, added_by) VALUES
                ('temp_*', 10, '2026-01-02Z', now(), 'test'), ('*', 5, '2026-01-03Z', now(), 'test'),
                ('*a', 20, '2026-01-02Z', now(), 'test'), ('flow%', 30, '2026-01-01Z', now(), 'test')
            """);

        Assert.Equal(
            [
                "flow% -infinity 60", "flow% 2026-01-01 30", "flow% 2026-01-03 5", "tempXa -infinity 60",
                "tempXa 2026-01-02 20", "tempXa 2026-01-03 5", "temp_a -infinity 60", "temp_a 2026-01-02 20",
                "temp_a 2026-01-03 5",
            ],
            await database.Read(
                """
                SELECT concat_ws(' ', s.metric, w.valid_from::date, w.width) FROM telemetry.series_width w
                JOIN telemetry.series s ON s.id = w.series WHERE w.valid_to > w.valid_from
                ORDER BY s.metric COLLATE "C", w.valid_from
                """,
                r => r.GetString(0)));
    }

    [Theory]
    [InlineData("windows")]
    [InlineData("windows_as_of(now())")]
    public async Task Query_for_a_series_and_a_range_of_time_reads_the_index_for_this_range(string view)
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            foreach (var device in Enumerable.Range(0, 20))
            {
                var series = c.Register(MetricType.Int, device: $"pump {device}");
                c.Parts.AddRange(Enumerable.Range(0, 500).Select(m => Part(series, m)));
            }
        });
        await database.Execute("ANALYZE");

        var plan = string.Join('\n', await database.Read(
            $"""
            EXPLAIN (COSTS OFF) SELECT * FROM telemetry.{view}
            WHERE gateway = 'gw-1' AND device = 'pump 3' AND metric = 'Int 255'
                AND start >= '2023-11-14 23:00Z' AND start < '2023-11-15Z'
            """,
            r => r.GetString(0)));

        Assert.Matches(
            @"Index Scan using window_part_\S*series_start_idx[^\n]*\n"
            + @" *Index Cond: \(\(series = s[^\n]*\) AND \(start >= [^\n]*\) AND \(start < [^\n]*\)\)",
            plan);
    }

    private const string Missing = $"""
        SELECT concat_ws(' ', ((extract(epoch FROM start) - 1700000040) / 60)::int, dropped, rejected, lost)
        FROM telemetry.windows ORDER BY start
        """;

    private const string Bounds = """
        SELECT concat_ws(' ', missing, missing_at_most,
            missing_first - '2023-11-14 22:14Z',
            coalesce((nullif(missing_last, 'infinity') - '2023-11-14 22:14Z')::text, missing_last::text))
        FROM telemetry.windows ORDER BY start
        """;

    private static FrameRegisterRow Register(long first, int count, long time) =>
        Frame(first, count) with { TimeFirst = Start + time, TimeLast = Start + time };

    private static RunRow Lost(long first, long last) =>
        new(Gateway, 7, Lane.Live, new SettledRun(new SequenceRange(first, last), RunState.Lost, 0));

    private static Task<string> Row(PostgresDatabase database, string columns) =>
        database.Row($"SELECT {columns} FROM telemetry.windows w ORDER BY start LIMIT 1");

    private static WindowPart Part(SeriesEntry series, int minute, params double[] values)
    {
        var part = new WindowPart().Begin(series, new WindowSpan(Start + (minute * Minute), 60));
        for (var i = 0; i < values.Length; i++)
        {
            part.Add(part.Start + i, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(values[i]), 1);
        }

        return part;
    }
}
