-- How much of what was stored retention has removed.
CREATE VIEW telemetry.retired AS
SELECT gateway, metric, width, month, CASE WHEN width = 0 THEN removed ELSE 0 END AS readings,
       CASE WHEN width > 0 THEN removed ELSE 0 END AS parts
FROM telemetry.retirement_count;

-- Up to which event time retention has removed readings (width 0) or windows.
CREATE VIEW telemetry.retired_until AS
SELECT gateway, metric, width, begun AS until FROM telemetry.retirement;

-- Retired readings were stored, and count as such: retired says how many of them are not there any more.
CREATE OR REPLACE VIEW telemetry.books AS
SELECT gateway, g.partition,
       -- What is settled was accepted, also where the gateway has not yet told its new total.
       least(greatest(coalesce(o.accepted, 0), coalesce(g.settled, 0)), 9223372036854775807)::bigint AS accepted,
       coalesce(g.stored, 0) AS stored,
       coalesce(g.rejected, 0) AS rejected,
       coalesce(g.dropped, 0) AS dropped,
       coalesce(g.lost, 0) AS lost,
       least(greatest(0, coalesce(o.accepted, 0) - coalesce(g.settled, 0)), 9223372036854775807)::bigint AS on_the_way,
       g.watermark,
       coalesce(g.fork, '') AS fork,
       coalesce((SELECT sum(c.removed) FROM telemetry.retirement_count c
                 WHERE c.gateway = coalesce(g.gateway, o.gateway) AND c.width = 0), 0)::bigint AS retired
FROM (SELECT *, stored::numeric + rejected + dropped + lost AS settled FROM telemetry.gateway) g
FULL JOIN (SELECT gateway, sum(accepted) AS accepted FROM telemetry.outbox GROUP BY gateway) o USING (gateway);

-- The complete windows of the last so much time that differ from the readings: there should be none. Those are left out
-- whose readings, or which themselves, retention has removed. Counts, minima, maxima and the times of the first and last
-- value are compared exactly; sums within 1e-12 of the sum of the values' sizes, or what adding so many doubles in any
-- order can differ by, if that is more, and only if they are bounded.
CREATE OR REPLACE FUNCTION telemetry.window_check(span interval)
RETURNS TABLE (gateway text, device text, metric text, start timestamptz, until timestamptz, found text, expected text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH since AS (SELECT date_bin('5 minutes', now() - span, '1970-01-01Z') AS first),
    raw AS (
        SELECT r.series, date_bin(make_interval(secs => t.width), r.time, '1970-01-01Z') AS start, t.width,
               count(*) AS readings, count(*) FILTER (WHERE r.counts) AS numbers,
               count(*) FILTER (WHERE r.flags & 4 <> 0) AS nulls,
               count(*) FILTER (WHERE r.flags & 3 = 1) AS uncertain, count(*) FILTER (WHERE r.flags & 3 >= 2) AS bad,
               sum(telemetry.bounded(r.number, 1e290)) FILTER (WHERE r.counts) AS sum,
               sum(abs(telemetry.bounded(r.number, 1e290))) FILTER (WHERE r.counts) AS size,
               min(r.number) FILTER (WHERE r.counts) AS min, max(r.number) FILTER (WHERE r.counts) AS max,
               min(r.time) FILTER (WHERE r.counts) AS first_time, max(r.time) FILTER (WHERE r.counts) AS last_time
        FROM telemetry.reading_number r
        JOIN telemetry.series_width t ON t.series = r.series AND r.time >= t.valid_from AND r.time < t.valid_to
        WHERE r.time >= (SELECT first FROM since)
        GROUP BY 1, 2, 3),
    merged AS (
        SELECT m.*, m.start + m.first_at * interval '1 microsecond' AS first_time,
               m.start + m.last_at * interval '1 microsecond' AS last_time
        FROM telemetry.window_merged m WHERE m.start >= (SELECT first FROM since))
    SELECT s.gateway, s.device, s.metric, start, start + make_interval(secs => width),
           format('readings %s numbers %s nulls %s uncertain %s bad %s sum %s min %s max %s from %s to %s',
               m.readings, m.numbers, m.nulls, m.uncertain, m.bad, m.sum, m.min, m.max, m.first_time, m.last_time),
           format('readings %s numbers %s nulls %s uncertain %s bad %s sum %s min %s max %s from %s to %s',
               r.readings, r.numbers, r.nulls, r.uncertain, r.bad, r.sum, r.min, r.max, r.first_time, r.last_time)
    FROM raw r FULL JOIN merged m USING (series, start, width)
    JOIN telemetry.series s ON s.id = series
    JOIN telemetry.gateway g ON g.gateway = s.gateway
    WHERE NOT EXISTS (SELECT FROM telemetry.retirement k
                      WHERE k.gateway = s.gateway AND k.metric = s.metric
                        AND k.width IN (0, coalesce(r.width, m.width)) AND k.begun > start)
      AND g.watermark >= start + make_interval(secs => width) + s.extra_lateness_micros * interval '1 microsecond'
      AND ((r.readings, r.numbers, r.nulls, r.uncertain, r.bad, r.min, r.max, r.first_time, r.last_time)
               IS DISTINCT FROM (m.readings, m.numbers, m.nulls, m.uncertain, m.bad, m.min, m.max, m.first_time,
                   m.last_time)
           OR (r.size < 1e285
               AND abs(r.sum - m.sum) > greatest(1e-12, 2.3e-16 * r.numbers::double precision) * r.size + 1e-285))
$$;

-- Windows as they were at a time: parts stored later are left out. Upkeep keeps parts apart for the last seven days. What
-- retention has removed since is not there.
CREATE OR REPLACE FUNCTION telemetry.windows_as_of(at timestamptz)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, start timestamptz, until timestamptz, readings bigint,
    numbers bigint, sum double precision, mean double precision, min double precision, max double precision)
LANGUAGE sql STABLE AS $$
    SELECT s.gateway, s.device, s.metric, s.labels, w.start, w.start + make_interval(secs => w.width), w.readings,
           w.numbers, w.sum, w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max
    FROM telemetry.series s
    CROSS JOIN LATERAL (
        SELECT p.start, p.width, sum(p.readings) AS readings, sum(p.numbers) AS numbers,
               CASE WHEN min(c.scale) = max(c.scale) AND bool_and(p.i_sum IS NOT NULL OR p.numbers = 0)
                    THEN sum(p.i_sum)::double precision / min(c.scale)
                    ELSE sum(telemetry.bounded(coalesce(p.f_sum, p.i_sum / c.scale), 1e290)) END AS sum,
               min(coalesce(p.f_min, p.i_min / c.scale)) AS min, max(coalesce(p.f_max, p.i_max / c.scale)) AS max
        FROM telemetry.window_part p
        CROSS JOIN LATERAL (SELECT CASE WHEN p.flags >> 8 > 0
            THEN power(10::double precision, (p.flags >> 8) - 1) END AS scale) c
        LEFT JOIN telemetry.retired_until k
            ON k.gateway = s.gateway AND k.metric = s.metric AND k.width = p.width
        WHERE p.series = s.id AND p.stored_at <= at AND (k.until IS NULL OR p.start >= k.until)
        GROUP BY p.start, p.width) w
$$;
