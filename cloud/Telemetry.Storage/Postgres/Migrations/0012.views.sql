-- Windows with quantiles; time-weighted means of hours, days and groups. As before in everything else.

-- As in 0008, and from decimals on what upkeep needs to write one part in place of all: values that are exact in all
-- parts, or null; the sum of squares; the time integral, null where the parts do not tell it (disordered). Parts that come
-- after retention for their time are left out: they are not the whole window.
CREATE OR REPLACE VIEW telemetry.window_merged AS
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
                ELSE CASE WHEN bool_or(disordered)
                          THEN telemetry.window_integral(s.id, start, width, sum(numbers)) ELSE sum(part_integral) END
                     / ((max(last_at) - min(first_at)) / 1e6::double precision)
           END AS time_weighted_mean,
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
    GROUP BY start, width) w;

DROP FUNCTION telemetry.window_time_weighted_mean(integer, timestamptz, integer);

CREATE OR REPLACE VIEW telemetry.windows AS
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
       w.changed_at, w.series, telemetry.quantile_within(w.sketch, 0.5, w.min, w.max) AS p50,
       telemetry.quantile_within(w.sketch, 0.95, w.min, w.max) AS p95,
       telemetry.quantile_within(w.sketch, 0.99, w.min, w.max) AS p99, w.sketch
FROM telemetry.window_merged w
JOIN telemetry.series s ON s.id = w.series
LEFT JOIN telemetry.gateway g ON g.gateway = s.gateway;

-- A window in which a device came or went belongs to its stay as a whole.
DROP VIEW telemetry.device_windows;
CREATE VIEW telemetry.device_windows AS
SELECT w.*, d.home_gateway, d.site, d.location, d.device_labels, d.time_zone, d.limit_low, d.limit_high
FROM telemetry.device_series d
JOIN telemetry.windows w ON w.series = d.series AND w.start < d.valid_to
    AND (w.start >= d.valid_from OR d.arrived AND w.until > d.valid_from)
    AND NOT (d.replaced AND w.until > d.valid_to);

-- Spans of hours, days and so on that begin in [first, last), merged from windows; days in the time zone of the site.
DROP VIEW telemetry.windows_hour, telemetry.windows_day;
DROP FUNCTION telemetry.windows_by(text, timestamptz, timestamptz);
CREATE FUNCTION telemetry.windows_by(unit text, first timestamptz, last timestamptz)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, start timestamptz, until timestamptz,
    readings bigint, numbers bigint, nulls bigint, uncertain bigint, bad bigint, sum double precision,
    mean double precision, min double precision, max double precision, first double precision, last double precision,
    stddev double precision, time_weighted_mean double precision, unit text, windows bigint, complete boolean,
    dropped bigint, rejected bigint, lost bigint, changed_at timestamptz, home_gateway text, site text, location text,
    device_labels jsonb, time_zone text, limit_low double precision, limit_high double precision, series integer,
    p50 double precision, p95 double precision, p99 double precision, sketch bytea)
LANGUAGE sql STABLE AS $$
    SELECT d.gateway, d.device, d.metric, d.labels, w.start, e.until, w.readings, w.numbers, w.nulls,
           w.uncertain, w.bad, w.sum, w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max, w.first, w.last,
           CASE WHEN w.numbers > 1 THEN sqrt(w.squares / (w.numbers - 1)::double precision) END,
           CASE WHEN w.seconds = 0 THEN w.last WHEN NOT w.unknown THEN w.integral / w.seconds END, d.unit, w.windows,
           coalesce(d.watermark >= e.until + d.extra_lateness, false),
           m.dropped, m.rejected, m.lost, w.changed_at, d.home_gateway, d.site, d.location, d.device_labels,
           d.time_zone, d.limit_low, d.limit_high, d.series,
           telemetry.quantile_within(w.sketch, 0.5, w.min, w.max),
           telemetry.quantile_within(w.sketch, 0.95, w.min, w.max),
           telemetry.quantile_within(w.sketch, 0.99, w.min, w.max), w.sketch
    FROM telemetry.device_series d
    CROSS JOIN LATERAL (SELECT CASE WHEN $1 = 'hour' THEN 'UTC' ELSE d.time_zone END AS name) z
    CROSS JOIN LATERAL (
        SELECT v.span AS start, sum(v.readings)::bigint AS readings, sum(v.numbers)::bigint AS numbers,
               sum(v.nulls)::bigint AS nulls, sum(v.uncertain)::bigint AS uncertain, sum(v.bad)::bigint AS bad,
               sum(v.sum) AS sum, min(v.min) AS min, max(v.max) AS max,
               (array_agg(v.first ORDER BY v.start) FILTER (WHERE v.numbers > 0))[1] AS first,
               (array_agg(v.last ORDER BY v.start DESC) FILTER (WHERE v.numbers > 0))[1] AS last,
               sum(coalesce(telemetry.bounded(v.stddev, 1e140) ^ 2 * (v.numbers - 1)::double precision, 0)
                   + coalesce(v.numbers::double precision * telemetry.bounded(
                       v.sum / nullif(v.numbers, 0)::double precision - v.mean, 1e140) ^ 2, 0)) AS squares,
               -- Each window's integral, and its last value until the next window's first.
               sum(CASE WHEN v.last_at > v.first_at THEN telemetry.bounded(v.time_weighted_mean, 1e290)
                       * ((v.last_at - v.first_at) / 1e6::double precision) ELSE 0 END
                   + coalesce(telemetry.bounded(v.last, 1e290)
                       * extract(epoch FROM v.next - v.last_time)::double precision, 0)) AS integral,
               extract(epoch FROM max(v.last_time) - min(v.first_time))::double precision AS seconds,
               bool_or(v.numbers > 0 AND (v.time_weighted_mean IS NULL OR coalesce(v.next < v.last_time, false)))
                   AS unknown,
               telemetry.merge_sketches(v.sketch) FILTER (WHERE v.numbers > 0) AS sketch,
               count(*) AS windows, max(v.changed_at) AS changed_at
        FROM (SELECT p.*, t.span, t.first_time, t.last_time, min(t.first_time) OVER later AS next,
                     sum(p.sum) OVER same / nullif(sum(p.numbers) OVER same, 0)::double precision AS mean
              FROM telemetry.window_merged p
              CROSS JOIN LATERAL (SELECT date_trunc($1, p.start, z.name) AS span,
                  p.start + make_interval(secs => p.width) AS until,
                  p.start + p.first_at * interval '1 microsecond' AS first_time,
                  p.start + p.last_at * interval '1 microsecond' AS last_time) t
              WHERE p.series = d.series
                AND p.start >= $2 AND p.start < $3 + interval '25 hours' + ('1 ' || $1)::interval
                AND t.span >= $2 AND t.span < $3
                AND p.start < d.valid_to AND (p.start >= d.valid_from OR d.arrived AND t.until > d.valid_from)
                AND NOT (d.replaced AND t.until > d.valid_to)
              WINDOW same AS (PARTITION BY t.span),
                     later AS (PARTITION BY t.span ORDER BY p.start DESC, p.width
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) v
        GROUP BY v.span) w
    CROSS JOIN LATERAL (SELECT ((w.start AT TIME ZONE z.name) + ('1 ' || $1)::interval) AT TIME ZONE z.name AS until) e
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n.readings) FILTER (WHERE n.what = 'dropped'), 0)::bigint AS dropped,
               coalesce(sum(n.readings) FILTER (WHERE n.what = 'rejected'), 0)::bigint AS rejected,
               coalesce(sum(n.readings) FILTER (WHERE n.what = 'lost'), 0)::bigint AS lost
        FROM telemetry.missing_readings n
        WHERE n.series = d.series AND n.time_last >= w.start AND n.time_first < e.until) m
$$;

CREATE VIEW telemetry.windows_hour AS SELECT * FROM telemetry.windows_by('hour', '-infinity', 'infinity');

CREATE VIEW telemetry.windows_day AS SELECT * FROM telemetry.windows_by('day', '-infinity', 'infinity');

-- Windows of a group of devices, over all of its gateways. key is 'site', or a label of the devices.
DROP FUNCTION telemetry.group_windows(text, text, text, timestamptz, timestamptz);
CREATE FUNCTION telemetry.group_windows(
    key text, value text, in_metric text, first timestamptz, last timestamptz)
RETURNS TABLE (start timestamptz, until timestamptz, series bigint, gateways bigint, gateways_complete bigint,
    missing text[], complete boolean, state text, readings bigint, numbers bigint, sum double precision,
    mean double precision, min double precision, max double precision, stddev double precision,
    time_weighted_mean double precision, p50 double precision, p95 double precision, p99 double precision)
LANGUAGE sql STABLE AS $$
    WITH member AS MATERIALIZED (
        SELECT * FROM telemetry.device_series
        WHERE CASE $1 WHEN 'site' THEN site ELSE device_labels ->> $1 END = $2 AND metric = $3),
    -- A device that never sent anything counts: what it will send is missing.
    described AS (
        SELECT v.gateway, v.device FROM telemetry.devices v
        WHERE CASE $1 WHEN 'site' THEN v.site ELSE v.labels ->> $1 END = $2
          AND coalesce((SELECT bool_or(s.metric = $3) FROM telemetry.device_series s
                        WHERE s.home_gateway = v.gateway AND s.device = v.device), true)),
    place AS MATERIALIZED (
        SELECT h.gateway, coalesce(p.valid_from, '-infinity') AS valid_from,
               coalesce(p.valid_to, 'infinity') AS valid_to, coalesce(p.arrived, false) AS arrived,
               coalesce(p.replaced, false) AS replaced, b.watermark,
               coalesce((SELECT max(m.extra_lateness) FROM member m
                         WHERE m.home_gateway = d.gateway AND m.device = d.device), interval '0') AS extra_lateness
        FROM described d
        LEFT JOIN telemetry.device_places p ON p.home_gateway = d.gateway AND p.device = d.device
        CROSS JOIN LATERAL (SELECT coalesce(p.gateway, d.gateway) AS gateway) h
        LEFT JOIN telemetry.books b ON b.gateway = h.gateway),
    part AS (
        SELECT m.series, w.start, w.until, w.readings, w.numbers, w.sum, w.min, w.max, w.stddev, w.time_weighted_mean,
               w.sketch
        FROM member m
        CROSS JOIN LATERAL (
            SELECT p.start, p.start + make_interval(secs => p.width) AS until, sum(p.readings) AS readings,
                   sum(p.numbers) AS numbers, sum(p.sum) AS sum, min(p.min) AS min, max(p.max) AS max,
                   max(p.stddev) AS stddev, max(p.time_weighted_mean) AS time_weighted_mean,
                   (array_agg(p.sketch))[1] AS sketch
            FROM telemetry.window_merged p
            WHERE p.series = m.series AND p.start >= $4 AND p.start < $5 AND p.start < m.valid_to
              AND (p.start >= m.valid_from OR m.arrived AND p.start + make_interval(secs => p.width) > m.valid_from)
              AND NOT (m.replaced AND p.start + make_interval(secs => p.width) > m.valid_to)
            GROUP BY p.start, p.width) w),
    merged AS (
        SELECT start, until, count(DISTINCT series) AS series, sum(readings)::bigint AS readings,
               sum(numbers)::bigint AS numbers, sum(sum) AS sum, min(min) AS min, max(max) AS max,
               sum(coalesce(telemetry.bounded(stddev, 1e140) ^ 2 * (numbers - 1)::double precision, 0)
                   + coalesce(numbers::double precision * telemetry.bounded(
                       sum / nullif(numbers, 0)::double precision - mean, 1e140) ^ 2, 0)) AS squares,
               CASE WHEN bool_and(numbers = 0 OR time_weighted_mean IS NOT NULL)
                    THEN avg(telemetry.bounded(time_weighted_mean, 1e290)) END AS time_weighted_mean,
               telemetry.merge_sketches(sketch) FILTER (WHERE numbers > 0) AS sketch
        FROM (SELECT *, sum(sum) OVER same / nullif(sum(numbers) OVER same, 0)::double precision AS mean
              FROM part WINDOW same AS (PARTITION BY start, until)) v
        GROUP BY start, until)
    SELECT w.start, w.until, w.series, g.gateways, g.complete, g.missing, g.gateways = g.complete,
           format('complete with %s of %s gateways', g.complete, g.gateways)
               || CASE WHEN g.gateways > g.complete THEN ', missing: ' || array_to_string(g.missing, ', ') ELSE '' END,
           w.readings, w.numbers, w.sum, w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max,
           CASE WHEN w.numbers > 1 THEN sqrt(w.squares / (w.numbers - 1)::double precision) END,
           w.time_weighted_mean, telemetry.quantile_within(w.sketch, 0.5, w.min, w.max),
           telemetry.quantile_within(w.sketch, 0.95, w.min, w.max),
           telemetry.quantile_within(w.sketch, 0.99, w.min, w.max)
    FROM merged w
    CROSS JOIN LATERAL (
        SELECT count(*) AS gateways, count(*) FILTER (WHERE c.complete) AS complete,
               coalesce(array_agg(c.gateway ORDER BY c.gateway) FILTER (WHERE NOT c.complete), '{}') AS missing
        FROM (SELECT p.gateway, bool_and(coalesce(p.watermark >= w.until + p.extra_lateness, false)) AS complete
              FROM place p
              WHERE w.start < p.valid_to AND (w.start >= p.valid_from OR p.arrived AND w.until > p.valid_from)
                AND NOT (p.replaced AND w.until > p.valid_to)
              GROUP BY p.gateway) c) g
    ORDER BY w.start, w.until
$$;
