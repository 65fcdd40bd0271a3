using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>Hours and days that are merged from windows equal the same made of the readings.</summary>
public sealed class SpanViewTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long Second = 1_000_000, Day = 86_400 * Second;

    // Two days before the night in which the clocks of Berlin change.
    private static readonly long First =
        ColumnValues.Micros(new DateTime(2026, 10, 23, 0, 0, 0, DateTimeKind.Utc));

    [Theory]
    [InlineData("hour", "UTC")]
    [InlineData("day", "Europe/Berlin")]
    [InlineData("month", "Europe/Berlin")]
    public async Task Spans_equal_those_made_of_the_readings(string unit, string zone)
    {
        await using var database = await Filled();

        var raw = await database.Read(
            $"""
            SELECT concat_ws('|', series, start, count(*), count(*) FILTER (WHERE counts),
                count(*) FILTER (WHERE flags & 4 <> 0), count(*) FILTER (WHERE flags & 3 = 1),
                count(*) FILTER (WHERE flags & 3 = 2), round(sum(number) FILTER (WHERE counts)::numeric, 6),
                min(number) FILTER (WHERE counts), max(number) FILTER (WHERE counts),
                (array_agg(number ORDER BY time) FILTER (WHERE counts))[1],
                (array_agg(number ORDER BY time DESC) FILTER (WHERE counts))[1],
                round((stddev_samp(number) FILTER (WHERE counts))::numeric, 6),
                round((CASE WHEN count(*) FILTER (WHERE counts) = 1 THEN max(number) FILTER (WHERE counts)
                    ELSE sum(number * extract(epoch FROM next - time)::double precision) FILTER (WHERE counts)
                        / extract(epoch FROM max(time) FILTER (WHERE counts) - min(time) FILTER (WHERE counts))
                            ::double precision END)::numeric, 6))
            FROM (SELECT *, min(time) FILTER (WHERE counts) OVER (PARTITION BY series, start ORDER BY time
                      ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next
                  FROM (SELECT *, date_trunc('{unit}', time, '{zone}') AS start FROM telemetry.reading_number) n) r
            GROUP BY series, start ORDER BY series, start
            """,
            r => r.GetString(0));
        var merged = await database.Read(
            $"""
            SELECT concat_ws('|', series, start, readings, numbers, nulls, uncertain, bad, round(sum::numeric, 6), min,
                max, first, last, round(stddev::numeric, 6), round(time_weighted_mean::numeric, 6))
            FROM telemetry.windows_by('{unit}', '-infinity', 'infinity') ORDER BY series, start
            """,
            r => r.GetString(0));

        Assert.InRange(raw.Count, 2, 1000);
        Assert.Equal(raw, merged);
    }

    [Fact]
    public async Task Days_begin_in_the_time_zone_of_the_site_and_are_complete_once_the_watermark_has_passed_them()
    {
        await using var database = await Filled();
        await database.Execute("UPDATE telemetry.gateway SET watermark = '2026-10-25 22:59:59Z'");
        const string Sql = """
            SELECT string_agg(concat(to_char(start AT TIME ZONE 'UTC', 'DD HH24'), '-',
                to_char(until AT TIME ZONE 'UTC', 'DD HH24'), ' ', complete), ', ' ORDER BY start)
            FROM telemetry.windows_day WHERE metric = 'Int 255'
            """;
        const string Before = "22 22-23 22 t, 23 22-24 22 t, 24 22-25 23 ", After = ", 25 23-26 23 f, 26 23-27 23 f";

        Assert.Equal($"{Before}f{After}", await database.Row(Sql));
        await database.Execute("UPDATE telemetry.gateway SET watermark = '2026-10-25 23:00Z'");
        Assert.Equal($"{Before}t{After}", await database.Row(Sql));
        await database.Execute("UPDATE telemetry.series SET extra_lateness_micros = 1");
        Assert.Equal($"{Before}f{After}", await database.Row(Sql));
    }

    [Fact]
    public async Task Spans_of_a_range_begin_in_it_and_are_whole()
    {
        await using var database = await Filled();

        Assert.Equal(
            await database.Row("""
                SELECT count(*), sum(readings) FROM telemetry.windows_day
                WHERE start >= '2026-10-23 12:00Z' AND start < '2026-10-24 22:00Z'
                """),
            await database.Row("""
                SELECT count(*), sum(readings)
                FROM telemetry.windows_by('day', '2026-10-23 12:00Z', '2026-10-24 22:00Z')
                """));
        Assert.Equal(
            "2",
            await database.Row("""
                SELECT count(*) FROM telemetry.windows_by('day', '2026-10-23 12:00Z', '2026-10-24 22:00Z')
                """));
    }

    [Fact]
    public async Task Time_weighted_mean_of_a_span_is_null_where_that_of_a_window_is_not_known()
    {
        await using var database = await Filled();
        const string Sql = "SELECT count(*), count(time_weighted_mean) FROM telemetry.windows_hour";
        var hours = await database.Row("SELECT count(*) FROM telemetry.windows_hour");
        Assert.Equal($"{hours}|{hours}", await database.Row(Sql));

        // Of windows whose parts overlap in time the readings tell it.
        await database.Execute("DELETE FROM telemetry.reading WHERE time < '2026-10-25Z'");

        Assert.Equal(
            "0|True",
            await database.Row("""
                SELECT count(*) FILTER (WHERE start >= '2026-10-25Z' AND time_weighted_mean IS NULL),
                    count(*) FILTER (WHERE start < '2026-10-25Z' AND time_weighted_mean IS NULL) BETWEEN 1 AND 50
                FROM telemetry.windows_hour
                """));
    }

    [Fact]
    public async Task What_is_missing_in_a_span_is_told()
    {
        await using var database = await Filled();
        await database.Execute("""
            INSERT INTO telemetry.drop_declaration (gateway, epoch, lane, first, count, series, readings, time_first,
                time_last, reason, stored_at, series_identity)
            SELECT gateway, 7, 1, 1, 5, 0, 5, '2026-10-24 10:00Z', '2026-10-24 11:00Z', 1, now(), identity
            FROM telemetry.series WHERE metric = 'Int 255';
            INSERT INTO telemetry.run (gateway, epoch, lane, first, last, state, share, time_first, time_last)
            VALUES ('gw-1', 7, 1, 10, 12, 1, 0, '2026-10-25 10:00Z', '2026-10-25 10:00Z')
            """);

        Assert.Equal(
            "0 0, 5 0, 0 3, 0 0, 0 0",
            await database.Row("""
                SELECT string_agg(concat(dropped, ' ', lost), ', ' ORDER BY start)
                FROM telemetry.windows_day WHERE metric = 'Int 255'
                """));
        Assert.Equal(
            "Float 2 lost 3, Int 255 dropped 5, Int 255 lost 3",
            await database.Row("""
                SELECT string_agg(concat(metric, ' ', what, ' ', readings), ', ' ORDER BY metric, what)
                FROM telemetry.missing_readings
                """));
    }

    // Two series with four days of readings each, the parts of their windows split at random.
    private async Task<PostgresDatabase> Filled()
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var random = new Random(17);
        await Commit(database.Store, await Take(database.Store), c =>
        {
            c.Gateways.Add(GatewayRow.New(Gateway, 0));
            foreach (var series in (SeriesEntry[])
                [c.Register(MetricType.Int), c.Register(MetricType.Float, 2)])
            {
                var parts = new Dictionary<(long Start, int Part), WindowPart>();
                for (var time = First; time < First + (4 * Day); time += random.Next(1, 600) * Second)
                {
                    var flags = (ReadingFlags)random.Next(0, 3) | (random.Next(5) == 0 ? ReadingFlags.Null : 0);
                    var bits = (flags & ReadingFlags.Null) != 0 ? 0UL
                        : series.Definition.Type == MetricType.Int ? (ulong)random.NextInt64(-1000, 1000)
                        : BitConverter.DoubleToUInt64Bits(random.Next(-10_000, 10_000) / 100.0);
                    c.Readings.Add(series, time, flags, bits);
                    var span = WindowSpan.Of(time, 300);
                    var key = (span.Start, random.Next(2));
                    if (!parts.TryGetValue(key, out var part))
                    {
                        c.Parts.Add(parts[key] = part = new WindowPart().Begin(series, span));
                    }

                    part.Add(time, flags, bits, 0);
                }
            }
        });
        await database.Execute("""
            INSERT INTO telemetry.device_metadata (gateway, device, site, time_zone)
            VALUES ('gw-1', 'pump', 'Plant', 'Europe/Berlin')
            """);
        return database;
    }
}
