-- A part's flags: bit 0 late, bit 1 its values came out of the order of their times, bits 8-11 one more than the decimals
-- of values kept in the columns i_*. first_at and last_at are microseconds after the start of the window.

-- Sums, products and quotients of such numbers neither overflow nor underflow, which would be an error: one gateway's
-- values must not make a query over all gateways fail. What is greater counts as infinite, what is smaller as zero.
CREATE FUNCTION telemetry.bounded(number double precision, most double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(number) BETWEEN 1 / most AND most OR number = 'NaN' THEN number
                WHEN number > 1 THEN 'Infinity' WHEN number < -1 THEN '-Infinity' WHEN abs(number) < 1 THEN 0 END
$$;

-- The numbers of readings as windows take them: null where there is none, and for text.
CREATE VIEW telemetry.reading_number AS
SELECT r.series, r.time, r.flags,
       CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN s.type < 4 THEN r.i::double precision END AS number,
       r.flags & 4 = 0 AND r.flags & 3 < 2 AND coalesce(r.f, 0) <> 'NaN' AS counts
FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series;

-- The time-weighted mean of a window from its readings: each value counts until the next one; the last one not at all.
CREATE FUNCTION telemetry.window_time_weighted_mean(in_series integer, in_start timestamptz, in_width integer)
RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sum(telemetry.bounded(number, 1e290) * extract(epoch FROM next - time)::double precision)
        / nullif(extract(epoch FROM max(time) - min(time)), 0)::double precision
    FROM (SELECT number, time, lead(time) OVER (ORDER BY time, number) AS next
          FROM telemetry.reading_number
          WHERE series = in_series AND time >= in_start AND time < in_start + make_interval(secs => in_width)
            AND counts) v
$$;

-- The merge of the parts of each window. Series by series, so that a query for some series and a range of time reads the
-- index for these series and this range.
CREATE VIEW telemetry.window_merged AS
SELECT s.id AS series, w.*
FROM telemetry.series s
CROSS JOIN LATERAL (
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
           CASE WHEN max(last_at) = min(first_at) THEN max(part_last)
                WHEN bool_or(disordered) THEN telemetry.window_time_weighted_mean(s.id, start, width)
                ELSE sum(part_integral) / ((max(last_at) - min(first_at)) / 1e6::double precision)
           END AS time_weighted_mean,
           bool_or(flags & 1 <> 0) AS late,
           count(*) AS parts,
           sum(hash_sum) AS hash_sum,
           max(stored_at) AS changed_at
    FROM (SELECT v.*,
                 telemetry.bounded(f_squares, 1e290)
                     + CASE WHEN count(*) OVER same > 1 THEN numbers * telemetry.bounded(part_sum / nullif(numbers, 0)
                         - (sum(part_sum) OVER same) / nullif(sum(numbers) OVER same, 0), 1e140) ^ 2
                       ELSE 0 END AS part_squares,
                 telemetry.bounded(f_integral, 1e290)
                     + coalesce(telemetry.bounded(part_last, 1e290)
                         * (((lead(first_at) OVER by_time) - last_at) / 1e6::double precision), 0) AS part_integral,
                 (flags & 2) <> 0 OR (lead(first_at) OVER by_time) <= last_at AS disordered
          FROM (SELECT p.*, c.scale,
                       telemetry.bounded(coalesce(f_sum, i_sum / c.scale), 1e290) AS part_sum,
                       coalesce(f_min, i_min / c.scale) AS part_min,
                       coalesce(f_max, i_max / c.scale) AS part_max,
                       coalesce(f_first, i_first / c.scale) AS part_first,
                       coalesce(f_last, i_last / c.scale) AS part_last
                FROM telemetry.window_part p
                CROSS JOIN LATERAL (SELECT CASE WHEN p.flags >> 8 > 0
                    THEN power(10::double precision, (p.flags >> 8) - 1) END AS scale) c
                WHERE p.series = s.id) v
          WINDOW same AS (PARTITION BY start, width),
                 by_time AS (PARTITION BY start, width ORDER BY first_at, last_at)) parts
    GROUP BY start, width) w;

CREATE VIEW telemetry.windows AS
SELECT s.gateway, s.device, s.metric, s.labels, w.start, w.start + make_interval(secs => w.width) AS until,
       w.readings, w.numbers, w.nulls, w.uncertain, w.bad,
       w.sum, w.sum / nullif(w.numbers, 0)::double precision AS mean, w.min, w.max, w.first, w.last, w.stddev,
       w.time_weighted_mean, s.unit,
       coalesce(g.watermark >= w.start + make_interval(secs => w.width)
           + s.extra_lateness_micros * interval '1 microsecond', false) AS complete,
       (SELECT count(DISTINCT r.at) FROM telemetry.window_revision r
        WHERE r.series = w.series AND r.start = w.start AND r.width = w.width) AS revision,
       (SELECT coalesce(sum(d.readings), 0) FROM telemetry.drop_declaration d
        WHERE d.series_identity = s.identity AND d.time_last >= w.start
          AND d.time_first < w.start + make_interval(secs => w.width)) AS dropped,
       (SELECT coalesce(sum(d.readings), 0)::bigint FROM telemetry.dead_letter d
        WHERE d.series_identity = s.identity AND d.retried_at IS NULL AND d.readings > 0 AND d.series_identity <> '\x'
          AND d.time_micros >= (extract(epoch FROM w.start) * 1000000)::bigint
          AND d.time_micros < ((extract(epoch FROM w.start) + w.width) * 1000000)::bigint) AS rejected,
       (SELECT coalesce(sum(l.last - l.first + 1), 0)::bigint FROM telemetry.run l
        WHERE l.gateway = s.gateway AND l.state = 1
          AND coalesce(l.time_last, 'infinity') >= w.start
          AND coalesce(l.time_first, '-infinity') < w.start + make_interval(secs => w.width)) AS lost,
       w.changed_at, w.series
FROM telemetry.window_merged w
JOIN telemetry.series s ON s.id = w.series
LEFT JOIN telemetry.gateway g ON g.gateway = s.gateway;

CREATE VIEW telemetry.window_revisions AS
SELECT s.gateway, s.device, s.metric, s.labels, r.start, r.start + make_interval(secs => r.width) AS until, r.at,
       CASE r.cause WHEN 1 THEN 'late' WHEN 2 THEN 'recovered' ELSE 'retried' END AS cause,
       r.readings, r.numbers, r.sum,
       r.gateway || '/' || to_hex(r.epoch) || '/' || CASE r.lane WHEN 0 THEN 'critical' WHEN 1 THEN 'live'
           ELSE 'backlog' END || '/' || r.first || '+' || r.count AS frame,
       r.series
FROM telemetry.window_revision r
JOIN telemetry.series s ON s.id = r.series;

-- A pattern of names, in which * stands for any number of characters, as LIKE takes it.
CREATE FUNCTION telemetry.like_pattern(pattern text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
$$;

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

-- The complete windows of the last so much time that differ from the readings: there should be none. Counts, minima,
-- maxima and the times of the first and last value are compared exactly; sums within 1e-12 of the sum of the values'
-- sizes, or what adding so many doubles in any order can differ by, if that is more, and only if they are bounded.
CREATE FUNCTION telemetry.window_check(span interval)
RETURNS TABLE (gateway text, device text, metric text, start timestamptz, until timestamptz, found text, expected text)
LANGUAGE sql STABLE AS $$
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
    WHERE g.watermark >= start + make_interval(secs => width) + s.extra_lateness_micros * interval '1 microsecond'
      AND ((r.readings, r.numbers, r.nulls, r.uncertain, r.bad, r.min, r.max, r.first_time, r.last_time)
               IS DISTINCT FROM (m.readings, m.numbers, m.nulls, m.uncertain, m.bad, m.min, m.max, m.first_time,
                   m.last_time)
           OR (r.size < 1e285
               AND abs(r.sum - m.sum) > greatest(1e-12, 2.3e-16 * r.numbers::double precision) * r.size + 1e-285))
$$;

-- Windows as they were at a time: parts stored later are left out. Upkeep keeps parts apart for the last seven days.
CREATE FUNCTION telemetry.windows_as_of(at timestamptz)
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
        WHERE p.series = s.id AND p.stored_at <= at
        GROUP BY p.start, p.width) w
$$;
