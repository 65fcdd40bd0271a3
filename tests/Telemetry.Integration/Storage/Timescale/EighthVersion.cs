using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>
/// A filled database of version 8, the first one with windows: three series of integers over two days, of which the
/// first one has its chunks in the columnstore where there is one. The windows of one series have two parts that
/// overlap in time, so that their time-weighted mean is computed from the readings.
/// </summary>
internal static class EighthVersion
{
    private const int Minutes = 20, PerMinute = 12;

    public const int WindowsOfAll = 3 * Minutes;

    private const string WindowsSql = """
        SELECT concat_ws('|', gateway, device, metric, labels, start, until, complete, revision, readings, numbers,
            nulls, uncertain, bad, sum, mean, min, max, first, last, stddev, time_weighted_mean, unit, dropped,
            rejected, lost, changed_at)
        FROM telemetry.windows ORDER BY metric, start
        """;

    /// <summary>Makes the tables and fills them.</summary>
    public static async Task FillAsync(PostgresDatabase database)
    {
        await using var connection = await database.OpenConnection();
        var edition = await DatabaseEdition.DetectAsync(connection, default);
        await MigrationRunner.RunAsync(connection, edition, true, default, 8);
        var hasColumnstore = edition.Kind == DatabaseKind.TimescaleCommunity;
        if (hasColumnstore)
        {
            // Its policy would convert chunks in the middle of the test.
            await database.Execute("""
                SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
                WHERE hypertable_schema = 'telemetry'
                """);
        }

        var (device, deviceOf) = hasColumnstore ? (", device", ", series") : ("", "");
        await database.Execute($"""
            INSERT INTO telemetry.gateway (gateway, partition, stored, rejected, dropped, lost, watermark, fork,
                changed_at)
            VALUES ('gw-1', 0, {3 * Minutes * PerMinute}, 0, 0, 0, now(), '', now());
            INSERT INTO telemetry.device (identity, gateway, device)
            SELECT sha256(n::text::bytea), 'gw-1', 'pump ' || n FROM generate_series(1, 3) n;
            INSERT INTO telemetry.series (identity, device_id, gateway, device, metric, labels, type, unit, decimals,
                extra_lateness_micros)
            SELECT substr(sha256(n::text::bytea), 1, 16), n, 'gw-1', 'pump ' || n, 'flow ' || n, '{EmptyObject}', 1,
                'l', 0, 0
            FROM generate_series(1, 3) n;
            CREATE TABLE sample AS
            SELECT series, {Midnight} - interval '{Minutes / 2} minutes' + n * interval '{60 / PerMinute} s' AS time,
                (n * 7 + series) % 101 AS i, series = 3 AND n % 2 = 0 AS other
            FROM generate_series(1, 3) series, generate_series(0, {(Minutes * PerMinute) - 1}) n;
            INSERT INTO telemetry.reading (time, i, series, flags{device})
            SELECT time, i, series, 0{deviceOf} FROM sample;
            INSERT INTO telemetry.window_part (start, width, series, readings, numbers, nulls, uncertain, bad, i_sum,
                i_min, i_max, i_first, i_last, f_squares, f_integral, first_at, last_at, flags, hash_sum)
            SELECT start, 60, series, count(*), count(*), 0, 0, 0, sum(i), min(i), max(i),
                (array_agg(i ORDER BY time))[1], (array_agg(i ORDER BY time DESC))[1], var_pop(i) * count(*),
                sum(i * extract(epoch FROM next - time)), extract(epoch FROM min(time) - start) * 1000000,
                extract(epoch FROM max(time) - start) * 1000000, 256, 0
            FROM (SELECT *, lead(time) OVER (PARTITION BY series, other, start ORDER BY time) AS next
                  FROM (SELECT *, date_bin('1 minute', time, '1970-01-01Z') AS start FROM sample) w) s
            GROUP BY series, start, other;
            DROP TABLE sample
            """);
        if (hasColumnstore)
        {
            foreach (var table in (string[])["reading", "window_part"])
            {
                await database.Execute(
                    "SELECT compress_chunk(c, if_not_compressed => true) "
                    + $"FROM show_chunks('telemetry.{table}') c LIMIT 1");
            }
        }
    }

    /// <summary>All that version 8 says of the windows.</summary>
    public static Task<IReadOnlyList<string>> Windows(PostgresDatabase database) =>
        database.Read(WindowsSql, r => r.GetString(0));

    private const string EmptyObject = "{}";

    private const string Midnight = "date_trunc('day', now(), 'UTC') - interval '12 days'";
}
