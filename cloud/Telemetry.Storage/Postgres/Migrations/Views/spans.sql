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
                AND telemetry.window_of_stay(
                    p.start, t.until, d.valid_from, d.valid_to, d.arrived, d.replaced)
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
            WHERE p.series = m.series AND p.start >= $4 AND p.start < $5
              AND telemetry.window_of_stay(p.start, p.start + make_interval(secs => p.width), m.valid_from, m.valid_to,
                  m.arrived, m.replaced)
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
              WHERE telemetry.window_of_stay(
                  w.start, w.until, p.valid_from, p.valid_to, p.arrived, p.replaced)
              GROUP BY p.gateway) c) g
    ORDER BY w.start, w.until
$$;
