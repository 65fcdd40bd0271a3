using Npgsql;
using Telemetry.Storage.Postgres.Maintenance;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>
/// Merges the parts of windows that have been complete for <see cref="PostgresStoreOptions.KeepPartsApart"/>: one part
/// takes their place, and the views show the same as before. A step is one transaction of at most
/// <see cref="StepWindows"/> windows; how far all of a gateway's are done is noted behind them, so that after a crash
/// the next run repeats at most a look. One process at a time. See
/// docs/adr/0052-old-parts-of-windows-are-merged.md.
/// </summary>
public sealed class PartMerging
{
    private const long AdvisoryLock = 0x7465_6c65_6d65_7267; // "telemerg"

    /// <summary>
    /// The lock of a step, of its transaction. The deletion of parts and the conversion of their chunks take it too:
    /// a part that a merge writes is not missed, and the two do not wait for each other.
    /// </summary>
    internal const long StepLock = 0x7465_6c65_7374_6570; // "telestep"; Migrations/0012.sql has it too

    /// <summary>The most windows of one step.</summary>
    private const int StepWindows = 1000;

    // One a day, and only if the watermark has moved since the last one.
    private const string MarkSql = """
        INSERT INTO telemetry.watermark_mark (gateway, seen_at, watermark)
        SELECT g.gateway, now(), g.watermark FROM telemetry.gateway g
        WHERE g.watermark IS NOT NULL
          AND NOT EXISTS (SELECT FROM telemetry.watermark_mark m WHERE m.gateway = g.gateway
                          AND (m.seen_at > now() - interval '1 day' OR m.watermark >= g.watermark))
          AND NOT EXISTS (SELECT FROM telemetry.window_merging d
                          WHERE d.gateway = g.gateway AND d.merged_to >= g.watermark)
        """;

    // A watermark falls only where somebody makes it; windows beyond it are the owner's.
    private const string ReachedSql = """
        SELECT m.gateway, coalesce(d.merged_to, '-infinity'), least(max(m.watermark), g.watermark), max(m.seen_at)
        FROM telemetry.watermark_mark m
        JOIN telemetry.gateway g ON g.gateway = m.gateway
        LEFT JOIN telemetry.window_merging d ON d.gateway = m.gateway
        WHERE m.seen_at <= $1
        GROUP BY m.gateway, d.merged_to, g.watermark ORDER BY m.gateway
        """;

    private const string RevisedSql = """
        SELECT g.gateway FROM telemetry.gateway g
        LEFT JOIN telemetry.window_merging d ON d.gateway = g.gateway
        WHERE EXISTS (SELECT FROM telemetry.window_revision r WHERE r.gateway = g.gateway
                      AND r.at > coalesce(d.revised_to, '-infinity') AND r.at < $1)
        ORDER BY g.gateway
        """;

    // No window is longer than five minutes.
    private const string NextSql = """
        SELECT min(w.start) FROM telemetry.series s
        CROSS JOIN LATERAL (
            SELECT min(p.start) AS start FROM telemetry.window_part p
            WHERE p.series = s.id AND p.start >= $2 - s.extra_lateness_micros * interval '1 microsecond'
                - interval '5 minutes' AND p.start >= $3 AND p.start < $4) w
        WHERE s.gateway = $1
        """;

    // What retention has passed is no window any more.
    private const string FindSql = """
        SELECT s.id, w.start, w.width FROM telemetry.series s
        CROSS JOIN LATERAL (
            SELECT p.start, p.width FROM telemetry.window_part p
            LEFT JOIN telemetry.retirement k
                ON k.gateway = s.gateway AND k.metric = s.metric AND k.width = p.width
            WHERE p.series = s.id AND p.start >= $2 AND p.start < $3 AND (k.begun IS NULL OR p.start >= k.begun)
              AND p.start + make_interval(secs => p.width) + s.extra_lateness_micros * interval '1 microsecond' <= $4
            GROUP BY p.start, p.width
            HAVING max(p.stored_at) < $5
               AND (count(*) > 1 OR bool_or(p.flags & 6 = 2 AND p.last_at > p.first_at))) w
        WHERE s.gateway = $1
        LIMIT $6
        """;

    private const string MergeSql = "SELECT telemetry.merge_parts($1, $2, $3, $4)";

    private const string MergedSql = """
        INSERT INTO telemetry.window_merging (gateway, merged_to) VALUES ($1, $2)
        ON CONFLICT (gateway) DO UPDATE SET merged_to = greatest(window_merging.merged_to, excluded.merged_to)
        """;

    private const string ForgetMarksSql = "DELETE FROM telemetry.watermark_mark WHERE gateway = $1 AND seen_at <= $2";

    private const string FindRevisedSql = """
        SELECT series, start, width, at FROM telemetry.window_revision
        WHERE gateway = $1 AND at < $2
          AND at > coalesce((SELECT revised_to FROM telemetry.window_merging WHERE gateway = $1), '-infinity')
        ORDER BY at FETCH FIRST 1000 ROWS WITH TIES
        """;

    private const string RevisedToSql = """
        INSERT INTO telemetry.window_merging (gateway, revised_to) VALUES ($1, $2)
        ON CONFLICT (gateway) DO UPDATE SET revised_to = excluded.revised_to
        """;

    private readonly PostgresStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly UpkeepSession _session;
    private long _merged;

    internal PartMerging(PostgresStoreOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _session = new UpkeepSession(
            options,
            new UpkeepWork("merge the parts of windows", AdvisoryLock, options.MergingTimeout, options.MergingPercent),
            time);
    }

    /// <summary>How many windows were merged.</summary>
    public long Merged => Interlocked.Read(ref _merged);

    /// <summary>
    /// Merges what is old enough. Does nothing while another process does it; the next run continues after an error.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        _session.RunAsync(connection => LookAsync(connection, cancellationToken), cancellationToken);

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, MarkSql, cancellationToken);
        var before = (DateTime)(await ScalarAsync(
            connection, "SELECT now() - $1", cancellationToken, _options.KeepPartsApart))!;
        foreach (var reached in await ReadAsync(
            connection, ReachedSql,
            r => new Reached(r.GetString(0), r.GetDateTime(1), r.GetDateTime(2), r.GetDateTime(3)),
            cancellationToken, before))
        {
            await MergeAsync(connection, reached, before, cancellationToken);
        }

        foreach (var gateway in await ReadAsync(
            connection, RevisedSql, r => r.GetString(0), cancellationToken, before))
        {
            await MergeRevisedAsync(connection, gateway, before, cancellationToken);
        }
    }

    /// <summary>Merges what became old enough since the last time, day by day.</summary>
    private async Task MergeAsync(
        NpgsqlConnection connection, Reached gateway, DateTime before, CancellationToken cancellationToken)
    {
        var first = DateTime.MinValue;
        while (await ScalarAsync(
            connection, NextSql, cancellationToken, gateway.Name, gateway.From, first, gateway.To) is DateTime next)
        {
            first = next.Date.AddDays(1);
            bool more;
            do
            {
                var start = _time.GetTimestamp();
                var found = await ReadAsync(
                    connection, FindSql, Window, cancellationToken, gateway.Name, next, first, gateway.To, before,
                    StepWindows);
                var merged = await MergeAsync(connection, found, before, cancellationToken);

                // Where nothing of them was merged, others changed them meanwhile: they would be found again.
                more = found.Count == StepWindows && merged > 0;
                await _session.PauseAsync(start, cancellationToken);
            }
            while (more);
        }

        await ExecuteAsync(connection, MergedSql, cancellationToken, gateway.Name, gateway.To);
        await ExecuteAsync(connection, ForgetMarksSql, cancellationToken, gateway.Name, gateway.SeenAt);
    }

    /// <summary>Merges the windows that got late parts which are old enough now.</summary>
    private async Task MergeRevisedAsync(
        NpgsqlConnection connection, string gateway, DateTime before, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await ReadAsync(
                connection, FindRevisedSql, r => (Window: Window(r), At: r.GetDateTime(3)), cancellationToken, gateway,
                before);
            if (found.Count == 0)
            {
                return;
            }

            foreach (var windows in found.Select(f => f.Window).Distinct().Chunk(StepWindows))
            {
                var start = _time.GetTimestamp();
                await MergeAsync(connection, windows, before, cancellationToken);
                await _session.PauseAsync(start, cancellationToken);
            }

            await ExecuteAsync(connection, RevisedToSql, cancellationToken, gateway, found[^1].At);
        }
    }

    private async Task<int> MergeAsync(
        NpgsqlConnection connection, IReadOnlyCollection<(int Series, DateTime Start, int Width)> windows,
        DateTime before, CancellationToken cancellationToken)
    {
        if (windows.Count == 0)
        {
            return 0;
        }

        var merged = (int)(await ScalarAsync(
            connection, MergeSql, cancellationToken, windows.Select(w => w.Series).ToArray(),
            windows.Select(w => w.Start).ToArray(), windows.Select(w => w.Width).ToArray(), before))!;
        Interlocked.Add(ref _merged, merged);
        return merged;
    }

    private static (int Series, DateTime Start, int Width) Window(NpgsqlDataReader r) =>
        (r.GetInt32(0), r.GetDateTime(1), r.GetInt32(2));

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken,
        params object[] values)
    {
        await using var command = Command(connection, sql, values);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            // The least time is sent as -infinity.
            command.Parameters.Add(new NpgsqlParameter
            {
                Value = value is DateTime at ? DateTime.SpecifyKind(at, DateTimeKind.Utc) : value,
            });
        }

        return command;
    }

    /// <summary>Windows of a gateway that became old enough: those that were complete at a watermark.</summary>
    /// <param name="Name">The gateway.</param>
    /// <param name="From">The watermark at which the last ones were complete.</param>
    /// <param name="To">The watermark.</param>
    /// <param name="SeenAt">When it stood there.</param>
    private sealed record Reached(string Name, DateTime From, DateTime To, DateTime SeenAt);
}
