-- The width of the windows of each series, by event time: [valid_from, valid_to). Of two entries that are valid from the
-- same time the later one counts, as the span of the other one is empty.
CREATE VIEW telemetry.series_width AS
SELECT s.id AS series, w.width_seconds AS width, w.valid_from,
       lead(w.valid_from, 1, 'infinity') OVER (PARTITION BY s.id ORDER BY w.valid_from, w.id) AS valid_to
FROM telemetry.series s
JOIN (SELECT 0 AS id, '%' AS metric, 60 AS width_seconds, '-infinity'::timestamptz AS valid_from
      UNION ALL
      SELECT id, telemetry.like_pattern(metric), width_seconds, valid_from
      FROM telemetry.window_width) w ON s.metric LIKE w.metric;

-- The numbers of a series that have no index yet, by spans of five minutes, into each of which every window fits as a
-- whole. In PL/pgSQL, so that queries of windows neither plan nor lock the readings where they need none.
CREATE FUNCTION telemetry.arrived_numbers(in_series integer) RETURNS SETOF telemetry.arrived_span
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10 AS $$
BEGIN
    RETURN QUERY SELECT date_bin('5 minutes', r.time, '1970-01-01Z'), array_agg(r.time), array_agg(r.number)
        FROM telemetry.reading_number r WHERE r.series = in_series AND r.arrived AND r.counts
        GROUP BY 1;
END $$;

-- The time integral of a window from its readings: each value counts until the next one; the last one not at all. Null
-- if the readings do not have so many values: some of them are gone. Those that have no index yet are given, as looking
-- for them takes a scan: the view of the windows makes one for a series, and none where the parts tell the integral.
CREATE FUNCTION telemetry.integral_with_arrived(
    in_series integer, in_start timestamptz, in_width integer, in_numbers bigint, times timestamptz[],
    numbers double precision[])
RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN count(*) = in_numbers
                THEN sum(telemetry.bounded(number, 1e290) * extract(epoch FROM next - time)::double precision) END
    FROM (SELECT number, time, lead(time) OVER (ORDER BY time, number) AS next
          FROM (SELECT number, time FROM telemetry.reading_number
                WHERE series = in_series AND time >= in_start AND time < in_start + make_interval(secs => in_width)
                  AND NOT arrived AND counts
                UNION ALL
                SELECT u.number, u.time FROM unnest(times, numbers) u(time, number)
                WHERE u.time >= in_start AND u.time < in_start + make_interval(secs => in_width)) r) v
$$;

-- The merge of the parts of each window. Series by series, so that a query for some series and a range of time reads the
-- index for these series and this range. From decimals on what upkeep needs to write one part in place of all: values that
-- are exact in all parts, or null; the sum of squares; the time integral, null where the parts do not tell it (disordered).
-- Parts that come after retention for their time are left out: they are not the whole window.
--
-- A part's flags: bit 0 late, bit 1 its values came out of the order of their times, bit 2 upkeep merged it when readings of
-- its window were gone, bits 8-11 one more than the decimals of values kept in the columns i_*. first_at and last_at are
-- microseconds after the start of the window.
CREATE VIEW telemetry.window_merged AS
SELECT s.id AS series, w.*
FROM telemetry.series s
CROSS JOIN LATERAL (
    WITH arrived AS MATERIALIZED (SELECT * FROM telemetry.arrived_numbers(s.id))
    SELECT m.start, m.width, m.readings, m.numbers, m.nulls, m.uncertain, m.bad, m.sum, m.min, m.max, m.first, m.last,
           m.first_at, m.last_at, m.stddev,
           CASE WHEN m.last_at = m.first_at THEN m.greatest_last
                ELSE CASE WHEN m.disordered
                          THEN (SELECT telemetry.integral_with_arrived(
                                    s.id, m.start, m.width, m.numbers, a.times, a.numbers)
                                FROM (SELECT date_bin('5 minutes', m.start, '1970-01-01Z') AS start) b
                                LEFT JOIN arrived a ON a.start = b.start)
                          ELSE m.integral END / ((m.last_at - m.first_at) / 1e6::double precision)
           END AS time_weighted_mean,
           m.late, m.parts, m.hash_sum, m.changed_at, m.decimals, m.exact_sum, m.exact_min, m.exact_max, m.exact_first,
           m.exact_last, m.squares, m.integral, m.disordered, m.settled, m.sketch
    FROM (
          SELECT start, width,
                 sum(readings) AS readings, sum(numbers) AS numbers, sum(nulls) AS nulls, sum(uncertain) AS uncertain,
                 sum(bad) AS bad,
                 CASE WHEN min(scale) = max(scale) AND bool_and(i_sum IS NOT NULL OR numbers = 0)
                      THEN sum(i_sum)::double precision / min(scale) ELSE sum(part_sum) END AS sum,
                 min(part_min) AS min, max(part_max) AS max,
                 (array_agg(part_first ORDER BY first_at, part_first))[1] AS first,
                 (array_agg(part_last ORDER BY last_at DESC NULLS LAST, part_last DESC))[1] AS last,
                 min(first_at) AS first_at, max(last_at) AS last_at,
                 CASE WHEN sum(numbers) > 1 THEN sqrt(sum(part_squares) / (sum(numbers) - 1)::double precision) END AS stddev,
                 max(part_last) AS greatest_last,
                 bool_or(flags & 1 <> 0) AS late,
                 count(*) AS parts,
                 telemetry.wrapped(sum(hash_sum)) AS hash_sum,
                 max(stored_at) AS changed_at,
                 CASE WHEN min(scale) = max(scale) AND bool_and(scale IS NOT NULL OR numbers = 0)
                      THEN (max(flags >> 8) - 1)::smallint END AS decimals,
                 CASE WHEN min(scale) = max(scale) AND bool_and(i_sum IS NOT NULL OR numbers = 0) THEN sum(i_sum)
                      END AS exact_sum,
                 min(i_min) AS exact_min, max(i_max) AS exact_max,
                 (array_agg(i_first ORDER BY first_at, i_first))[1] AS exact_first,
                 (array_agg(i_last ORDER BY last_at DESC NULLS LAST, i_last DESC NULLS LAST))[1] AS exact_last,
                 sum(part_squares) AS squares,
                 CASE WHEN max(last_at) > min(first_at) THEN CASE WHEN NOT bool_or(disordered) THEN sum(part_integral) END
                      WHEN count(part_sum) > 0 THEN 0 END AS integral,
                 coalesce(max(last_at) > min(first_at), false) AND bool_or(disordered) AS disordered,
                 bool_and(flags & 4 <> 0) AS settled,
                 telemetry.merge_sketches(sketch) FILTER (WHERE numbers > 0) AS sketch
          FROM (SELECT v.*,
                       telemetry.bounded(f_squares, 1e290)
                           + CASE WHEN count(*) OVER same > 1 THEN numbers * telemetry.bounded(part_sum / nullif(numbers, 0)
                               - (sum(part_sum) OVER same) / nullif(sum(numbers) OVER same, 0), 1e140) ^ 2
                             ELSE 0 END AS part_squares,
                       telemetry.bounded(f_integral, 1e290)
                           + coalesce(telemetry.bounded(part_last, 1e290)
                               * (((lead(first_at) OVER by_time) - last_at) / 1e6::double precision), 0) AS part_integral,
                       (flags & 2) <> 0 OR coalesce((lead(first_at) OVER by_time) <= last_at, false) AS disordered
                FROM (SELECT p.*, c.scale,
                             telemetry.bounded(coalesce(f_sum, i_sum / c.scale), 1e290) AS part_sum,
                             coalesce(f_min, i_min / c.scale) AS part_min,
                             coalesce(f_max, i_max / c.scale) AS part_max,
                             coalesce(f_first, i_first / c.scale) AS part_first,
                             coalesce(f_last, i_last / c.scale) AS part_last
                      FROM telemetry.window_part p
                      CROSS JOIN LATERAL (SELECT CASE WHEN p.flags >> 8 > 0
                          THEN power(10::double precision, (p.flags >> 8) - 1) END AS scale) c
                      LEFT JOIN telemetry.retirement k
                          ON k.gateway = s.gateway AND k.metric = s.metric AND k.width = p.width
                      WHERE p.series = s.id AND (k.begun IS NULL OR p.start >= k.begun)) v
                WINDOW same AS (PARTITION BY start, width),
                       by_time AS (PARTITION BY start, width ORDER BY first_at, last_at)) parts
          GROUP BY start, width) m) w;

-- What is missing in a window: so many readings of which it is known that they belong to it (missing), and so many with
-- those that may belong to it (missing_at_most), as only a span of their times is known, or not whose they were.
CREATE VIEW telemetry.windows AS
SELECT d.gateway, d.device, d.metric, d.labels, w.start, e.until,
       w.readings, w.numbers, w.nulls, w.uncertain, w.bad,
       w.sum, w.sum / nullif(w.numbers, 0)::double precision AS mean, w.min, w.max, w.first, w.last, w.stddev,
       w.time_weighted_mean, d.unit,
       coalesce(d.watermark >= e.until + d.extra_lateness, false) AS complete,
       (SELECT count(DISTINCT r.at) FROM telemetry.window_revision r
        WHERE r.series = w.series AND r.start = w.start AND r.width = w.width) AS revision,
       o.inside + r.readings AS missing, o.readings + r.readings + l.readings AS missing_at_most,
       least(o.time_first, r.time_first, l.time_first) AS missing_first,
       greatest(o.time_last, r.time_last, l.time_last) AS missing_last,
       o.readings AS dropped, r.readings AS rejected, l.readings AS lost,
       w.changed_at, w.series, telemetry.quantile_within(w.sketch, 0.5, w.min, w.max) AS p50,
       telemetry.quantile_within(w.sketch, 0.95, w.min, w.max) AS p95,
       telemetry.quantile_within(w.sketch, 0.99, w.min, w.max) AS p99, w.sketch,
       d.home_gateway, d.site, d.location, d.device_labels, d.time_zone, d.limit_low, d.limit_high
FROM telemetry.device_series d
JOIN telemetry.window_merged w ON w.series = d.series
CROSS JOIN LATERAL (SELECT w.start + make_interval(secs => w.width) AS until) e
LEFT JOIN LATERAL (
    SELECT coalesce(sum(n.readings), 0) AS readings,
           coalesce(sum(n.readings) FILTER (WHERE n.time_first >= w.start AND n.time_last < e.until), 0) AS inside,
           min(n.time_first) AS time_first, max(n.time_last) AS time_last
    FROM telemetry.drop_declaration n
    WHERE n.series_identity = d.identity AND n.time_last >= w.start AND n.time_first < e.until) o ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(n.readings), 0)::bigint AS readings,
           timestamptz '1970-01-01Z' + min(n.time_micros) * interval '1 microsecond' AS time_first,
           timestamptz '1970-01-01Z' + max(n.time_micros) * interval '1 microsecond' AS time_last
    FROM telemetry.dead_letter n
    WHERE n.series_identity = d.identity AND n.retried_at IS NULL AND n.readings > 0 AND n.series_identity <> '\x'
      AND n.time_micros >= (extract(epoch FROM w.start) * 1000000)::bigint
      AND n.time_micros < ((extract(epoch FROM w.start) + w.width) * 1000000)::bigint) r ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(n.last - n.first + 1), 0)::bigint AS readings,
           min(coalesce(n.time_first, '-infinity')) AS time_first, max(coalesce(n.time_last, 'infinity')) AS time_last
    FROM telemetry.run n
    WHERE n.gateway = d.gateway AND n.state = 1 AND coalesce(n.time_last, 'infinity') >= w.start
      AND coalesce(n.time_first, '-infinity') < e.until) l ON true
WHERE telemetry.window_of_stay(w.start, e.until, d.valid_from, d.valid_to, d.arrived, d.replaced);

CREATE VIEW telemetry.window_revisions AS
SELECT d.gateway, d.device, d.metric, d.labels, r.start, e.until, r.at,
       CASE r.cause WHEN 1 THEN 'late' WHEN 2 THEN 'recovered' ELSE 'retried' END AS cause,
       r.readings, r.numbers, r.sum,
       r.gateway || '/' || to_hex(r.epoch) || '/' || CASE r.lane WHEN 0 THEN 'critical' WHEN 1 THEN 'live'
           ELSE 'backlog' END || '/' || r.first || '+' || r.count AS frame,
       d.home_gateway, d.site, d.location, d.device_labels, d.time_zone, r.series
FROM telemetry.device_series d
JOIN telemetry.window_revision r ON r.series = d.series
CROSS JOIN LATERAL (SELECT r.start + make_interval(secs => r.width) AS until) e
WHERE telemetry.window_of_stay(r.start, e.until, d.valid_from, d.valid_to, d.arrived, d.replaced);

-- Readings that were stored when their window was complete: by series, window and frame. A reading alone does not say
-- when it came.
CREATE VIEW telemetry.late_readings AS
SELECT gateway, device, metric, labels, start, until, readings, numbers, sum, cause, at AS stored_at,
       at - until AS late_by, frame, home_gateway, site, location, device_labels, time_zone, series
FROM telemetry.window_revisions;

-- Windows as they were at a time: parts stored later are left out. Upkeep keeps parts apart for the last seven days. What
-- retention has removed since is not there.
CREATE FUNCTION telemetry.windows_as_of(at timestamptz)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, start timestamptz, until timestamptz, readings bigint,
    numbers bigint, sum double precision, mean double precision, min double precision, max double precision,
    unit text, home_gateway text, site text, location text, device_labels jsonb, time_zone text,
    limit_low double precision, limit_high double precision, series integer)
LANGUAGE sql STABLE AS $$
    SELECT d.gateway, d.device, d.metric, d.labels, w.start, e.until, w.readings, w.numbers, w.sum,
           w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max, d.unit, d.home_gateway, d.site, d.location,
           d.device_labels, d.time_zone, d.limit_low, d.limit_high, d.series
    FROM telemetry.device_series d
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
            ON k.gateway = d.gateway AND k.metric = d.metric AND k.width = p.width
        WHERE p.series = d.series AND p.stored_at <= at AND (k.until IS NULL OR p.start >= k.until)
        GROUP BY p.start, p.width) w
    CROSS JOIN LATERAL (SELECT w.start + make_interval(secs => w.width) AS until) e
    WHERE telemetry.window_of_stay(w.start, e.until, d.valid_from, d.valid_to, d.arrived, d.replaced)
$$;

-- The complete windows of the last so much time that differ from the readings: there should be none. Those are left out
-- whose readings, or which themselves, retention has removed. Counts, minima, maxima and the times of the first and last
-- value are compared exactly; sums within 1e-12 of the sum of the values' sizes, or what adding so many doubles in any
-- order can differ by, if that is more, and only if they are bounded.
CREATE FUNCTION telemetry.window_check(span interval)
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
