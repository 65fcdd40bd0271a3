namespace Telemetry.Storage.Postgres.Fleet;

/// <summary>What a dashboard asks about series.</summary>
internal static class SeriesQueries
{
    public const string FindSql = """
        SELECT coalesce(json_agg(f ORDER BY f.gateway, f.device, f.metric), '[]')::text
        FROM (SELECT s.id AS series, s.gateway, s.device, s.metric, s.labels, s.unit,
                     (ARRAY['float', 'int', 'uint', 'bool', 'text'])[s.type + 1] AS type, m.site
              FROM telemetry.series s
              LEFT JOIN telemetry.device_metadata m ON m.gateway = s.gateway AND m.device = s.device
              WHERE ($1::text IS NULL OR s.gateway = $1)
                AND ($2 = '' OR position(lower($2) IN lower(s.gateway || ' ' || s.device || ' ' || s.metric)) > 0)
                AND ($4::text[] IS NULL OR s.gateway IN (SELECT telemetry.gateways_at($4)))
              ORDER BY s.gateway, s.device, s.metric, s.id LIMIT $3) f
        """;

    /// <summary>Values by what they are: readings, windows, hour and day. Null where there is no such series.</summary>
    public static readonly IReadOnlyDictionary<string, string> ValuesSql = new Dictionary<string, string>
    {
        ["readings"] = Values("""
            SELECT time, number, integer::text AS integer, truth, text, quality, time_estimated AS "timeEstimated"
            FROM telemetry.reading_plain WHERE series = $1 AND time >= $2 AND time < $3 ORDER BY time LIMIT $4
            """),
        ["windows"] = Values("""
            SELECT start, until, readings, numbers, mean, min, max, first, last, stddev, complete, revision, dropped,
                   rejected, lost
            FROM telemetry.windows WHERE series = $1 AND start >= $2 AND start < $3 ORDER BY start LIMIT $4
            """),
        ["hour"] = Spans("hour"),
        ["day"] = Spans("day"),
    };

    private static string Spans(string unit) => Values($"""
        SELECT start, until, readings, numbers, mean, min, max, first, last, stddev, complete, 0 AS revision, dropped,
               rejected, lost
        FROM telemetry.windows_by('{unit}', $2, $3) w WHERE w.series = $1 ORDER BY start LIMIT $4
        """);

    private static string Values(string rows) => $"""
        SELECT json_build_object(
            'series', s.id, 'gateway', s.gateway, 'device', s.device, 'metric', s.metric, 'labels', s.labels,
            'unit', s.unit, 'type', (ARRAY['float', 'int', 'uint', 'bool', 'text'])[s.type + 1],
            'site', m.site, 'timeZone', coalesce(m.time_zone, 'UTC'), 'limits', m.limits -> s.metric,
            'watermark', g.watermark, 'retiredUntil', (
                SELECT max(until) FROM telemetry.retired_until r
                WHERE r.gateway = s.gateway AND r.metric = s.metric AND r.width = 0 AND isfinite(until)),
            'values', (SELECT coalesce(json_agg(v), '[]') FROM ({rows}) v))::text
        FROM telemetry.series s
        LEFT JOIN telemetry.gateway g ON g.gateway = s.gateway
        LEFT JOIN telemetry.device_metadata m ON m.gateway = s.gateway AND m.device = s.device
        WHERE s.id = $1 AND ($5::text[] IS NULL OR telemetry.gateway_at(s.gateway, $5))
        """;
}
