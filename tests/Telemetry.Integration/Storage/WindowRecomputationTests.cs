using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>The views of windows against plain SQL over the readings, and the check that finds what differs.</summary>
public sealed class WindowRecomputationTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string Check = """
        SELECT concat_ws(' ', gateway, device, metric, start, found, 'but', expected)
        FROM telemetry.window_check(interval '1 day')
        """;

    private const string Widths = """
        INSERT INTO telemetry.window_width (metric, width_seconds, valid_from, added_at, added_by, quantiles)
        VALUES ('t*', 10, '1970-01-01Z', now(), 'test', true)
        """;

    // Values beyond 1e100 are summed in another order here and there, and values below 1e-200 make PostgreSQL refuse
    // products: so neither are compared, except as minimum, maximum, first and last.
    private const string Differences = """
        WITH raw AS (
            SELECT r.series, r.time, r.quality, c.width, r.text,
                   date_bin(make_interval(secs => c.width), r.time, '2000-01-01Z') AS start,
                   coalesce(r.number, r.truth::int::double precision) AS value
            FROM telemetry.reading_plain r
            CROSS JOIN LATERAL (SELECT CASE WHEN r.metric LIKE 't%' THEN 10 ELSE 60 END AS width) c),
        counted AS (
            SELECT *, quality <> 'bad' AND (text IS NOT NULL OR (value IS NOT NULL AND value <> 'NaN')) AS counts,
                   CASE WHEN abs(value) < 1e-200 THEN 0 ELSE value END AS term
            FROM raw),
        held AS (
            SELECT *, lead(time) OVER (PARTITION BY series, start ORDER BY time, value) - time AS lasts
            FROM counted WHERE counts),
        numbers AS (
            SELECT series, start, count(*) AS numbers, sum(term) AS sum, max(abs(term)) AS size, min(value) AS min,
                   max(value) AS max, (array_agg(value ORDER BY time, value))[1] AS first,
                   (array_agg(value ORDER BY time DESC, value DESC))[1] AS last,
                   array_agg(value ORDER BY value) AS ordered,
                   stddev_samp(term) FILTER (WHERE abs(term) < 1e100) AS stddev,
                   CASE WHEN max(time) = min(time) THEN max(term)
                        ELSE sum(term * extract(epoch FROM lasts)::double precision)
                            / extract(epoch FROM max(time) - min(time))::double precision END AS time_weighted_mean
            FROM held GROUP BY series, start),
        plain AS (
            SELECT c.series, c.start, c.start + make_interval(secs => c.width) AS until, count(*) AS readings,
                   count(*) FILTER (WHERE c.value IS NULL AND c.text IS NULL) AS nulls,
                   count(*) FILTER (WHERE c.quality = 'uncertain') AS uncertain,
                   count(*) FILTER (WHERE c.quality = 'bad') AS bad
            FROM counted c GROUP BY c.series, c.start, c.width)
        SELECT concat_ws(' | ', w, p, n)
        FROM telemetry.windows w
        FULL JOIN (plain p LEFT JOIN numbers n USING (series, start)) USING (series, start, until)
        WHERE (w.readings, w.numbers, w.nulls, w.uncertain, w.bad)
                IS DISTINCT FROM (p.readings, coalesce(n.numbers, 0), p.nulls, p.uncertain, p.bad)
            OR (w.min, w.max, w.first, w.last) IS DISTINCT FROM (n.min, n.max, n.first, n.last)
            OR (n.size < 1e100 AND (
                NOT coalesce(abs(w.sum - n.sum) <= 1e-12 * n.numbers * n.size, false)
                OR NOT coalesce(abs(w.mean - n.sum / n.numbers) <= 1e-12 * n.size, false)
                OR (n.numbers > 1 AND NOT coalesce(abs(w.stddev - n.stddev) <= 1e-9 * n.size, false))
                OR NOT coalesce(abs(w.time_weighted_mean - n.time_weighted_mean) <= 1e-9 * n.size + 1e-200, false)))
            OR (w.p50 IS NOT NULL AND w.p95 IS NOT NULL AND w.p99 IS NOT NULL)
                <> (w.metric LIKE 't%' AND n.min IS NOT NULL)
            OR (n.size < 1e100 AND EXISTS (
                SELECT FROM unnest(ARRAY[w.p50, w.p95, w.p99], ARRAY[0.5, 0.95, 0.99]) q(found, part)
                CROSS JOIN LATERAL (
                    SELECT n.ordered[1 + floor(q.part * (n.numbers - 1))::integer] AS exact) e
                WHERE abs(q.found - e.exact) > CASE WHEN abs(e.exact) < 1e-200 THEN 1e-200
                                                    ELSE 0.010001 * abs(e.exact) END))
            OR NOT w.complete
        """;

    private static readonly long Now = ((DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10
        / WindowWidths.ValidFromStep * WindowWidths.ValidFromStep) - WindowWidths.ValidFromStep;

    [Fact]
    public async Task Views_of_windows_equal_a_recomputation_whatever_the_parts()
    {
        await using var database = await Filled(40);

        await None(database, Differences);
        await None(database, Check);
        // The schedules do what they are for.
        Assert.Equal(
            "True|True|True|True",
            await database.Row("""
                SELECT max(parts) > 4, count(*) > 1000, count(time_weighted_mean) > 500,
                    count(*) FILTER (WHERE late) > 100 FROM telemetry.window_merged
                """));
    }

    [Fact]
    public async Task Views_of_windows_equal_a_recomputation_while_parts_are_merged()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute(Widths);
        var row = await Take(database.Store);
        var schedules = Enumerable.Range(100, 15).Select(seed => new PartSchedule(seed)).ToArray();
        var random = new Random(3);
        foreach (var schedule in schedules)
        {
            row = await schedule.RunAsync(database.Store, row, Now);
            if (random.Next(3) == 0)
            {
                await database.MergeOldParts();
            }

            row = await schedules[random.Next(Array.IndexOf(schedules, schedule) + 1)]
                .RunLateAsync(database.Store, row, Now);
        }

        await None(database, Differences);
        await None(database, Check);
        await database.Execute(MergedWindows.KeepSql);

        await database.MergeOldParts();

        await None(database, MergedWindows.ChangesSql);
        await None(database, Differences);
        await None(database, Check);
        Assert.Equal("1", await database.Row("SELECT max(parts) FROM telemetry.window_merged"));
        Assert.InRange(database.Postgres.Merging.Merged, 500, 100_000);
        // Everything that was out of order was settled from the readings, which are not needed any more.
        await database.Execute("DELETE FROM telemetry.reading");
        await None(database, MergedWindows.ChangesSql);
    }

    [Theory]
    [InlineData("DELETE FROM telemetry.window_part WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET readings = readings + 1 WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET i_sum = i_sum + 1 WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET i_min = i_min - 1 WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET i_max = i_max + 1 WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET last_at = last_at + 1 WHERE (tableoid, ctid) = {0}")]
    [InlineData("UPDATE telemetry.window_part SET start = start + interval '10 seconds' WHERE (tableoid, ctid) = {0}")]
    [InlineData("INSERT INTO telemetry.window_part SELECT * FROM telemetry.window_part WHERE (tableoid, ctid) = {0}")]
    [InlineData("DELETE FROM telemetry.reading WHERE (tableoid, ctid) = {1}")]
    [InlineData("UPDATE telemetry.reading SET i = i + 1 WHERE (tableoid, ctid) = {1}")]
    [InlineData("UPDATE telemetry.reading SET flags = flags | 2 WHERE (tableoid, ctid) = {1}")]
    [InlineData("INSERT INTO telemetry.reading SELECT * FROM telemetry.reading WHERE (tableoid, ctid) = {1}")]
    public async Task Check_names_the_window_that_differs(string harm)
    {
        await using var database = await Filled(1);
        const string Part = """
            (SELECT p.tableoid, p.ctid FROM telemetry.window_part p JOIN telemetry.series s ON s.id = p.series
             WHERE s.metric = 'Int' ORDER BY p.series, p.start, p.stored_at LIMIT 1)
            """;
        const string Reading = """
            (SELECT r.tableoid, r.ctid FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series
             WHERE s.metric = 'Int' AND flags = 0 ORDER BY r.time LIMIT 1)
            """;

        await database.Execute(string.Format(null, harm, Part, Reading));

        var found = await database.Read(Check, r => r.GetString(0));
        Assert.InRange(found.Count, 1, 2);
        Assert.All(found, f => Assert.StartsWith("gw-0 pump Int ", f, StringComparison.Ordinal));
        // What is not complete yet may differ.
        await database.Execute("UPDATE telemetry.gateway SET watermark = watermark - interval '1 day'");
        await None(database, Check);
    }

    // One gateway's values must not make a query over all gateways fail: PostgreSQL's arithmetic raises errors.
    [Fact]
    public async Task Windows_of_the_greatest_and_the_least_values_are_no_error()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var row = await Take(database.Store);
        double[] values =
        [
            double.MaxValue, double.MaxValue, -double.MaxValue, double.Epsilon, -double.Epsilon, 2.3e-308, 1e200,
            -1e150, double.PositiveInfinity, double.NegativeInfinity, 1e290, 1e-290,
        ];
        for (var commit = 0; commit < 4; commit++)
        {
            row = await Commit(database.Store, row, c =>
            {
                var series = c.Register(MetricType.Float);
                for (var i = 0; i < values.Length * values.Length; i++)
                {
                    var part = new WindowPart().Begin(series, WindowSpan.Of(Now - ((i + 1) * 60_000_000L), 60));
                    var time = part.Start + (commit * 3_333_333);
                    var bits = BitConverter.DoubleToUInt64Bits(
                        values[(i + (commit % 2 == 0 ? 0 : i / values.Length)) % values.Length]);
                    part.Add(time, ReadingFlags.None, bits, 1);
                    c.Readings.Add(series, time, ReadingFlags.None, bits);
                    c.Parts.Add(part);
                }

                c.Gateways.Add(GatewayRow.New(Gateway, 0) with { Watermark = Now });
            });
        }

        Assert.Equal("144", await database.Row("SELECT count(*) FROM (SELECT DISTINCT * FROM telemetry.windows) w"));
        Assert.Equal("144", await database.Row(
            "SELECT count(*) FROM (SELECT DISTINCT * FROM telemetry.windows_as_of(now())) w"));
        await None(database, Check);
    }

    private static async Task None(PostgresDatabase database, string sql)
    {
        var rows = await database.Read(sql, r => r.GetString(0));
        Assert.True(rows.Count == 0, string.Join("\n", rows.Take(5)));
    }

    private async Task<PostgresDatabase> Filled(int schedules)
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute(Widths);
        var row = await Take(database.Store);
        for (var seed = 0; seed < schedules; seed++)
        {
            row = await new PartSchedule(seed).RunAsync(database.Store, row, Now);
        }

        return database;
    }
}
