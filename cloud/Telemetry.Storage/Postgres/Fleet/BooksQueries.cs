namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>What a dashboard asks about the books.</summary>
internal static class BooksQueries
{
    public const string TotalsSql = """
        SELECT json_build_object(
            'total', (SELECT row_to_json(t) FROM (
                SELECT count(*) AS gateways, coalesce(sum(accepted), 0) AS accepted, coalesce(sum(stored), 0) AS stored,
                       coalesce(sum(rejected), 0) AS rejected, coalesce(sum(dropped), 0) AS dropped,
                       coalesce(sum(lost), 0) AS lost, coalesce(sum(on_the_way), 0) AS "onTheWay",
                       coalesce(sum(retired), 0) AS retired
                FROM telemetry.books WHERE $3::text[] IS NULL OR gateway IN (SELECT telemetry.gateways_at($3))) t),
            'gateways', (SELECT coalesce(json_agg(b ORDER BY b.gateway), '[]') FROM (
                SELECT gateway, accepted, stored, rejected, dropped, lost, on_the_way AS "onTheWay", retired, watermark
                FROM telemetry.books
                WHERE gateway > $1 AND ($3::text[] IS NULL OR gateway IN (SELECT telemetry.gateways_at($3)))
                ORDER BY gateway LIMIT $2) b))::text
        """;

    /// <summary>By the day on which frames were settled, UTC: of the register and of its sums by day.</summary>
    public const string DaysSql = """
        SELECT coalesce(json_agg(d ORDER BY d.day DESC), '[]')::text
        FROM (SELECT day, sum(frames)::bigint AS frames, sum(stored)::bigint AS stored,
                     sum(rejected)::bigint AS rejected, sum(dropped)::bigint AS dropped
              FROM (SELECT day, frames, stored, rejected, dropped FROM telemetry.frame_register_day
                    WHERE day > current_date - $2 AND ($1::text IS NULL OR gateway = $1)
                        AND ($3::text[] IS NULL OR gateway IN (SELECT telemetry.gateways_at($3)))
                    UNION ALL
                    SELECT (stored_at AT TIME ZONE 'UTC')::date, count(*), sum(stored), sum(rejected), sum(dropped)
                    FROM telemetry.frame_register
                    WHERE stored_at > now() - make_interval(days => $2) AND ($1::text IS NULL OR gateway = $1)
                        AND ($3::text[] IS NULL OR gateway IN (SELECT telemetry.gateways_at($3)))
                    GROUP BY 1) a
              GROUP BY day) d
        """;
}
