namespace Telemetry.Integration.Storage;

/// <summary>Merges parts of windows as if they had been stored long ago, and finds what that changed.</summary>
internal static class MergedWindows
{
    /// <summary>Keeps what the views show, for <see cref="ChangesSql"/>.</summary>
    public const string KeepSql = """
        CREATE TABLE kept AS SELECT w.*, m.first_at, m.last_at, m.late, m.hash_sum
        FROM telemetry.windows w
        JOIN telemetry.window_merged m ON m.series = w.series AND m.start = w.start
            AND m.start + make_interval(secs => m.width) = w.until
        """;

    // Sums of doubles are added in another order. Values beyond 1e140 have no squares that are compared.
    public const string ChangesSql = """
        SELECT concat_ws(' | ', k, w, m)
        FROM kept k
        FULL JOIN telemetry.windows w USING (series, start, until)
        LEFT JOIN telemetry.window_merged m ON m.series = w.series AND m.start = w.start
            AND m.start + make_interval(secs => m.width) = w.until
        CROSS JOIN LATERAL (SELECT greatest(abs(w.min), abs(w.max), 1e-200) AS size) z
        WHERE (k.gateway, k.device, k.metric, k.labels, k.readings, k.numbers, k.nulls, k.uncertain, k.bad, k.min,
                k.max, k.first, k.last, k.unit, k.complete, k.revision, k.changed_at, k.first_at, k.last_at, k.late,
                k.hash_sum, k.sketch)
            IS DISTINCT FROM (w.gateway, w.device, w.metric, w.labels, w.readings, w.numbers, w.nulls, w.uncertain,
                w.bad, w.min, w.max, w.first, w.last, w.unit, w.complete, w.revision, w.changed_at, m.first_at,
                m.last_at, m.late, m.hash_sum, w.sketch)
            OR (CASE WHEN m.exact_sum IS NOT NULL THEN k.sum IS DISTINCT FROM w.sum
                     ELSE coalesce(k.sum <> w.sum AND z.size < 1e140
                        AND abs(k.sum - w.sum) > 1e-12 * w.numbers * z.size, false) END)
            OR (w.sum IS NULL) <> (k.sum IS NULL) OR (w.stddev IS NULL) <> (k.stddev IS NULL)
            OR (w.time_weighted_mean IS NULL) <> (k.time_weighted_mean IS NULL)
            OR (z.size < 1e140 AND (
                coalesce(abs(k.stddev - w.stddev) > 1e-9 * z.size, false)
                OR coalesce(abs(k.time_weighted_mean - w.time_weighted_mean) > 1e-12 * z.size, false)))
        """;

    /// <summary>Notes the watermarks, and lets days pass.</summary>
    public static async Task LetPartsAge(this PostgresDatabase database, int days = 8)
    {
        await database.Postgres.Merging.RunAsync(default);
        await database.Execute($"""
            UPDATE telemetry.window_part SET stored_at = stored_at - interval '{days} days';
            UPDATE telemetry.window_revision SET at = at - interval '{days} days';
            UPDATE telemetry.watermark_mark SET seen_at = seen_at - interval '{days} days';
            UPDATE telemetry.window_merging SET revised_to = revised_to - interval '{days} days'
            """);
    }

    /// <summary>
    /// The same, and merges what is old enough then; the times at which windows changed stay as they are.
    /// </summary>
    public static async Task MergeOldParts(this PostgresDatabase database)
    {
        await database.LetPartsAge();
        await database.Postgres.Merging.RunAsync(default);
        await database.Execute("UPDATE telemetry.window_part SET stored_at = stored_at + interval '8 days'");
    }
}
