using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Time;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>Plain PostgreSQL: where readings of any time go.</summary>
public sealed class PartitionTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private readonly SimulatedClock _clock = new(Now);

    [Theory]
    [InlineData("1970-01-01", "reading_default")]
    [InlineData("1960-06-06", "reading_default")]
    [InlineData("2200-12-31", "reading_default")]
    [InlineData("2026-03-04T23:59:59.999999", "reading_20260226")]
    [InlineData("2026-03-05", "reading_20260305")]
    [InlineData("2025-06-18T23:59:59.999999", "reading_20250612")]
    [InlineData("2024-12-31", "reading_20241226")]
    [InlineData("2000-01-06", "reading_20000106")]
    [InlineData("1999-12-01", "reading_default")]
    public async Task Reading_goes_to_its_week_or_where_all_odd_times_go(string time, string table)
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        var store = await Open(database);
        var micros = Micros(time);

        await Commit(
            store, await Take(store), c => c.Readings.Add(Numbered(MetricType.Int), micros, ReadingFlags.None, 3));
        await store.IndexReadingsAsync(default);

        Assert.Equal(table, await database.Row("SELECT tableoid::regclass::text FROM telemetry.reading").Unqualified());
        Assert.Equal(micros, Assert.Single(await database.ReadAllReadings()).Time);
        Assert.Equal(0, store.PartitionsLeftToDefault);
    }

    [Fact]
    public async Task Weeks_of_old_history_are_bounded_at_once_and_in_all_and_new_ones_are_not()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        // The default partition and two weeks from now on, and what old readings may add: four.
        var store = await database.OpenStore(
            new PostgresStoreOptions
            {
                ConnectionString = database.ConnectionString,
                PartitionsMax = 7,
                PartitionsAtOnceMax = 3,
                ArrivedReadings = 1,
                IndexingPercent = 100,
            },
            _clock);
        var weeks = Enumerable.Range(0, 8).Select(week => Micros("2020-01-02") + (week * 7L * 86_400_000_000)).ToList();

        var row = await Commit(store, await Take(store), c => weeks.ForEach(
            micros => c.Readings.Add(Numbered(MetricType.Int), micros, ReadingFlags.None, 3)));
        await store.IndexReadingsAsync(default);
        Assert.Equal("3|5", await database.Row(CountSql));
        row = await Commit(store, row, c => c.Readings.Add(
            Numbered(MetricType.Int), Micros("2021-01-07"), ReadingFlags.None, 3));
        await store.IndexReadingsAsync(default);
        row = await Commit(store, row, c => c.Readings.Add(
            Numbered(MetricType.Int), Micros("2021-01-14"), ReadingFlags.None, 3));
        await store.IndexReadingsAsync(default);
        Assert.Equal("4|6", await database.Row(CountSql));
        // As many of readings as of parts of windows.
        Assert.Equal(2 * (5 + 1), store.PartitionsLeftToDefault);

        await Commit(store, row, c => c.Readings.Add(
            Numbered(MetricType.Int), Micros("2025-12-04"), ReadingFlags.None, 3));
        await store.IndexReadingsAsync(default);
        Assert.Equal("5|6", await database.Row(CountSql));
        Assert.Equal(11, (await database.ReadAllReadings()).Count);
    }

    private const string CountSql = """
        SELECT count(*) FILTER (WHERE tableoid <> 'telemetry.reading_default'::regclass),
            count(*) FILTER (WHERE tableoid = 'telemetry.reading_default'::regclass) FROM telemetry.reading
        """;

    [Fact]
    public async Task Registered_frames_go_to_the_days_of_their_storing()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        await Commit(database.Store, await Take(database.Store), c => c.Frames.Add(Frame(1, 10)));

        Assert.Equal(
            "frame_register_" + await database.Row("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"),
            await database.Row("SELECT tableoid::regclass::text FROM telemetry.frame_register").Unqualified());
    }

    [Fact]
    public async Task Week_whose_readings_came_too_early_stays_with_the_odd_times()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        var store = await Open(database);
        var later = Micros("2026-06-03");
        var row = await Commit(
            store, await Take(store), c => c.Readings.Add(Numbered(MetricType.Int), later, ReadingFlags.None, 3));
        await store.IndexReadingsAsync(default);
        _clock.Advance(TimeSpan.FromDays(91));

        await Commit(store, row, c => c.Readings.Add(Numbered(MetricType.Int), later, ReadingFlags.None, 4));
        await store.IndexReadingsAsync(default);

        Assert.Equal((ulong[])[3, 4], (await database.ReadAllReadings()).Select(r => r.Bits!.Value).Order());
        Assert.Equal(1, store.PartitionsLeftToDefault);
    }

    [Fact]
    public async Task Old_days_of_the_register_are_summed_up_once_and_removed()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var store = database.Postgres;
        await Commit(store, await Take(store), c => c.Frames.AddRange([Frame(1, 10), Frame(11, 5)]));
        await database.Execute("""
            CREATE TABLE telemetry.frame_register_20200102 PARTITION OF telemetry.frame_register
                FOR VALUES FROM ('2020-01-02Z') TO ('2020-01-03Z');
            INSERT INTO telemetry.frame_register
            SELECT gateway, epoch, lane, first + 100, count, stored, rejected + 1, dropped + 2, time_first, time_last,
                checksum, hash_sum, '2020-01-02T23:59:59Z' FROM telemetry.frame_register;
            INSERT INTO telemetry.frame_register
            SELECT gateway, epoch, lane, first + 200, count, stored, rejected, dropped, time_first, time_last,
                checksum, 7, '2020-01-03Z' FROM telemetry.frame_register WHERE first = 1
            """);

        await store.SumUpFramesAsync(TimeSpan.FromDays(7), default);
        await store.SumUpFramesAsync(TimeSpan.FromDays(7), default);

        const string Sql =
            "SELECT frames, stored, rejected, dropped, hash_sum FROM telemetry.frame_register_day WHERE day = ";
        Assert.Equal("2|15|2|4|12", await database.Row($"{Sql}'2020-01-02'"));
        Assert.Equal("1|10|0|0|7", await database.Row($"{Sql}'2020-01-03'"));
        Assert.Equal("2", await database.Row("SELECT count(*) FROM telemetry.frame_register_day"));
        Assert.Equal("", await database.Row("SELECT to_regclass('telemetry.frame_register_20200102')::text"));
        Assert.Equal(
            [Frame(1, 10), Frame(11, 5)],
            await store.FindFramesAsync(Gateway, 7, Lane.Live, new(1, 999), 999, default));
    }

    private Task<PostgresStore> Open(PostgresDatabase database) => database.OpenStore(
        new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            PartitionLockWait = TimeSpan.FromMilliseconds(200),
            ArrivedReadings = 1,
            IndexingPercent = 100,
        },
        _clock);

    private static long Micros(string time) => ColumnValues.Micros(
        DateTime.Parse(
            time, null,
            System.Globalization.DateTimeStyles.AssumeUniversal
                | System.Globalization.DateTimeStyles.AdjustToUniversal));
}

internal static class TableNames
{
    public static async Task<string> Unqualified(this Task<string> name) =>
        (await name).Replace("telemetry.", "", StringComparison.Ordinal);
}
