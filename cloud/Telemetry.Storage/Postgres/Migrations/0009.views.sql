-- What people query. docs/reference/database.md describes every column.

CREATE VIEW telemetry.devices AS
SELECT gateway, device, m.site, m.location, coalesce(m.labels, '{}') AS labels,
       coalesce(m.time_zone, 'UTC') AS time_zone, coalesce(m.limits, '{}') AS limits,
       d.device IS NOT NULL AS heard, m.changed_at
FROM telemetry.device_metadata m
FULL JOIN (SELECT DISTINCT gateway, device FROM telemetry.device) d USING (gateway, device);

CREATE VIEW telemetry.device_moves AS
SELECT device, from_gateway, to_gateway, at, moved_at, moved_by FROM telemetry.device_move;

-- The times of a device that moved: one row for each gateway and each stay. A move away ends a stay, which goes on at
-- the other gateway; a move to the gateway ends the stay of an earlier device of that name, which is gone.
CREATE VIEW telemetry.device_places AS
WITH RECURSIVE event AS (
    SELECT device, from_gateway AS gateway, at, to_gateway AS next FROM telemetry.device_move
    UNION ALL
    SELECT device, to_gateway, at, NULL FROM telemetry.device_move),
stay AS (
    SELECT device, gateway, lag(at, 1, '-infinity') OVER w AS valid_from, at AS valid_to, next,
           next IS NULL AS replaced, coalesce(lag(next IS NULL) OVER w, false) AS arrived
    FROM event WINDOW w AS (PARTITION BY device, gateway ORDER BY at)
    UNION ALL
    SELECT * FROM (SELECT DISTINCT ON (device, gateway) device, gateway, at, timestamptz 'infinity', NULL, false,
                          next IS NULL
                   FROM event ORDER BY device, gateway, at DESC) last),
place AS (
    SELECT device, gateway, valid_from, valid_to, replaced, arrived,
           CASE WHEN NOT replaced THEN gateway END AS home_gateway
    FROM stay WHERE next IS NULL
    UNION
    SELECT s.device, s.gateway, s.valid_from, s.valid_to, s.replaced, s.arrived, p.home_gateway
    FROM place p
    JOIN stay s ON s.device = p.device AND s.next = p.gateway AND s.valid_to = p.valid_from)
SELECT device, gateway, valid_from, valid_to, home_gateway, arrived, replaced FROM place;

-- Series with the metadata of their device, as it is now.
CREATE VIEW telemetry.device_series AS
SELECT s.id AS series, s.gateway, h.home_gateway, s.device, s.metric, s.labels,
       (ARRAY['float', 'int', 'uint', 'bool', 'text'])[s.type + 1] AS type, s.unit, s.decimals,
       s.extra_lateness_micros * interval '1 microsecond' AS extra_lateness,
       m.site, m.location, coalesce(m.labels, '{}') AS device_labels, coalesce(m.time_zone, 'UTC') AS time_zone,
       (m.limits -> s.metric ->> 'low')::double precision AS limit_low,
       (m.limits -> s.metric ->> 'high')::double precision AS limit_high,
       coalesce(p.valid_from, '-infinity') AS valid_from, coalesce(p.valid_to, 'infinity') AS valid_to,
       coalesce(p.arrived, false) AS arrived, coalesce(p.replaced, false) AS replaced, g.watermark
FROM telemetry.series s
LEFT JOIN telemetry.gateway g ON g.gateway = s.gateway
LEFT JOIN telemetry.device_places p ON p.device = s.device AND p.gateway = s.gateway
CROSS JOIN LATERAL (SELECT CASE WHEN p.device IS NULL THEN s.gateway ELSE p.home_gateway END AS home_gateway) h
LEFT JOIN telemetry.device_metadata m ON m.gateway = h.home_gateway AND m.device = s.device;

CREATE VIEW telemetry.readings AS
SELECT d.gateway, d.device, d.metric, d.labels, r.time,
       CASE WHEN d.type = 'float'
                THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN d.type = 'uint' AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN d.type IN ('int', 'uint') THEN r.i::double precision END AS number,
       CASE WHEN d.type = 'int' THEN r.i::numeric
            WHEN d.type = 'uint' THEN CASE WHEN r.i < 0 THEN r.i + 18446744073709551616 ELSE r.i::numeric END
            END AS integer,
       CASE WHEN d.type = 'bool' THEN r.i <> 0 END AS truth,
       r.t AS text,
       d.unit,
       CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END AS quality,
       (r.flags & 8) <> 0 AS time_estimated,
       d.home_gateway, d.site, d.location, d.device_labels, d.time_zone, d.limit_low, d.limit_high, r.series
FROM telemetry.device_series d
JOIN telemetry.reading r ON r.series = d.series AND r.time >= d.valid_from AND r.time < d.valid_to;

-- A window in which a device came or went belongs to its stay as a whole.
CREATE VIEW telemetry.device_windows AS
SELECT w.*, d.home_gateway, d.site, d.location, d.device_labels, d.time_zone, d.limit_low, d.limit_high
FROM telemetry.device_series d
JOIN telemetry.windows w ON w.series = d.series AND w.start < d.valid_to
    AND (w.start >= d.valid_from OR d.arrived AND w.until > d.valid_from)
    AND NOT (d.replaced AND w.until > d.valid_to);

-- What is known not to be in the readings. A gateway's lost readings may be of any of its series, as many at most.
CREATE VIEW telemetry.missing_readings AS
SELECT s.gateway, s.device, s.metric, s.labels, 'dropped' AS what, d.readings::bigint AS readings, d.time_first,
       d.time_last, s.id AS series
FROM telemetry.series s JOIN telemetry.drop_declaration d ON d.series_identity = s.identity
UNION ALL
SELECT s.gateway, s.device, s.metric, s.labels, 'rejected', d.readings, t.time, t.time, s.id
FROM telemetry.series s
JOIN telemetry.dead_letter d ON d.series_identity = s.identity AND d.series_identity <> '\x'
CROSS JOIN LATERAL (SELECT CASE WHEN d.time_micros BETWEEN -200000000000000000 AND 9000000000000000000
    THEN timestamptz '1970-01-01Z' + d.time_micros * interval '1 microsecond' END AS time) t
WHERE d.retried_at IS NULL AND d.readings > 0
UNION ALL
SELECT s.gateway, s.device, s.metric, s.labels, 'lost', r.last - r.first + 1, coalesce(r.time_first, '-infinity'),
       coalesce(r.time_last, 'infinity'), s.id
FROM telemetry.series s JOIN telemetry.run r ON r.gateway = s.gateway AND r.state = 1;

-- Spans of hours, days and so on that begin in [first, last), merged from windows; days in the time zone of the site.
CREATE FUNCTION telemetry.windows_by(unit text, first timestamptz, last timestamptz)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, start timestamptz, until timestamptz,
    readings bigint, numbers bigint, nulls bigint, uncertain bigint, bad bigint, sum double precision,
    mean double precision, min double precision, max double precision, first double precision, last double precision,
    stddev double precision, unit text, windows bigint, complete boolean, dropped bigint, rejected bigint,
    lost bigint, changed_at timestamptz, home_gateway text, site text, location text, device_labels jsonb,
    time_zone text, limit_low double precision, limit_high double precision, series integer)
LANGUAGE sql STABLE AS $$
    SELECT d.gateway, d.device, d.metric, d.labels, w.start, e.until, w.readings, w.numbers, w.nulls,
           w.uncertain, w.bad, w.sum, w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max, w.first, w.last,
           CASE WHEN w.numbers > 1 THEN sqrt(w.squares / (w.numbers - 1)::double precision) END, d.unit, w.windows,
           coalesce(d.watermark >= e.until + d.extra_lateness, false),
           m.dropped, m.rejected, m.lost, w.changed_at, d.home_gateway, d.site, d.location, d.device_labels,
           d.time_zone, d.limit_low, d.limit_high, d.series
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
               count(*) AS windows, max(v.changed_at) AS changed_at
        FROM (SELECT p.*, t.span, sum(p.sum) OVER same / nullif(sum(p.numbers) OVER same, 0)::double precision AS mean
              FROM telemetry.window_merged p
              CROSS JOIN LATERAL (SELECT date_trunc($1, p.start, z.name) AS span,
                  p.start + make_interval(secs => p.width) AS until) t
              WHERE p.series = d.series
                AND p.start >= $2 AND p.start < $3 + interval '25 hours' + ('1 ' || $1)::interval
                AND t.span >= $2 AND t.span < $3
                AND p.start < d.valid_to AND (p.start >= d.valid_from OR d.arrived AND t.until > d.valid_from)
                AND NOT (d.replaced AND t.until > d.valid_to)
              WINDOW same AS (PARTITION BY t.span)) v
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
CREATE FUNCTION telemetry.group_windows(
    key text, value text, in_metric text, first timestamptz, last timestamptz)
RETURNS TABLE (start timestamptz, until timestamptz, series bigint, gateways bigint, gateways_complete bigint,
    missing text[], complete boolean, state text, readings bigint, numbers bigint, sum double precision,
    mean double precision, min double precision, max double precision, stddev double precision)
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
        SELECT m.series, w.start, w.until, w.readings, w.numbers, w.sum, w.min, w.max, w.stddev
        FROM member m
        CROSS JOIN LATERAL (
            SELECT p.start, p.start + make_interval(secs => p.width) AS until, sum(p.readings) AS readings,
                   sum(p.numbers) AS numbers, sum(p.sum) AS sum, min(p.min) AS min, max(p.max) AS max,
                   max(p.stddev) AS stddev
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
                       sum / nullif(numbers, 0)::double precision - mean, 1e140) ^ 2, 0)) AS squares
        FROM (SELECT *, sum(sum) OVER same / nullif(sum(numbers) OVER same, 0)::double precision AS mean
              FROM part WINDOW same AS (PARTITION BY start, until)) v
        GROUP BY start, until)
    SELECT w.start, w.until, w.series, g.gateways, g.complete, g.missing, g.gateways = g.complete,
           format('complete with %s of %s gateways', g.complete, g.gateways)
               || CASE WHEN g.gateways > g.complete THEN ', missing: ' || array_to_string(g.missing, ', ') ELSE '' END,
           w.readings, w.numbers, w.sum, w.sum / nullif(w.numbers, 0)::double precision, w.min, w.max,
           CASE WHEN w.numbers > 1 THEN sqrt(w.squares / (w.numbers - 1)::double precision) END
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

-- Sequences that a gateway said it sealed and that are neither stored, rejected, dropped nor lost yet.
CREATE VIEW telemetry.unsettled AS
SELECT gateway, lpad(to_hex(epoch), 16, '0') AS epoch,
       (ARRAY['critical', 'live', 'backlog'])[lane + 1] AS lane, first, last, last - first + 1 AS sequences
FROM (SELECT gateway, epoch, lane, until + 1 AS first,
             coalesce(lead(start) OVER (lane_order) - 1, max(announced) OVER (lane_whole)) AS last
      FROM (SELECT e.gateway, e.epoch, k.lane, 1 AS start, coalesce(l.prefix, 0) AS until, k.announced
            FROM telemetry.epoch e
            CROSS JOIN LATERAL (VALUES (0, e.last_critical), (1, e.last_live), (2, e.last_backlog)) k(lane, announced)
            LEFT JOIN telemetry.lane l ON l.gateway = e.gateway AND l.epoch = e.epoch AND l.lane = k.lane
            WHERE NOT e.complete
            UNION ALL
            SELECT r.gateway, r.epoch, r.lane, r.first, r.last, 0
            FROM telemetry.run r JOIN telemetry.epoch e ON e.gateway = r.gateway AND e.epoch = r.epoch
            WHERE NOT e.complete) settled
      WINDOW lane_whole AS (PARTITION BY gateway, epoch, lane),
             lane_order AS (PARTITION BY gateway, epoch, lane ORDER BY start, until)) gap
WHERE first <= last;

-- Epochs that none names as its predecessor, and of which a later one is known: whoever made them did not come back.
CREATE VIEW telemetry.unclosed_epochs AS
SELECT gateway, lpad(to_hex(epoch), 16, '0') AS epoch, last_frame_at
FROM (SELECT *, max(last_frame_at) OVER (PARTITION BY gateway) AS newest
      FROM (SELECT *, CASE WHEN count(*) OVER (PARTITION BY gateway) > 1 THEN
                       (SELECT max(f.stored_at) FROM telemetry.frame_register f
                        WHERE f.gateway = h.gateway AND f.epoch = h.epoch) END AS last_frame_at
            FROM (SELECT e.gateway, e.epoch FROM telemetry.epoch e
                  WHERE NOT e.complete
                    AND NOT EXISTS (SELECT FROM telemetry.epoch n
                                    WHERE n.gateway = e.gateway AND n.predecessor = e.epoch)) h) f) n
WHERE newest IS NOT NULL AND last_frame_at IS DISTINCT FROM newest;

CREATE VIEW telemetry.watermarks AS
SELECT g.gateway, g.partition, s.sites, g.watermark, now() - g.watermark AS age,
       coalesce(nullif(concat_ws('; ',
           CASE WHEN p.lease_until IS NULL THEN format('a processor: partition %s never had one', g.partition)
                WHEN p.lease_until < now()
                    THEN format('a processor: partition %s has none since %s', g.partition,
                        to_char(p.lease_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')) END,
           CASE WHEN g.window_to < now() - interval '2 minutes' THEN 'its windows are folded anew' END,
           u.gaps,
           CASE WHEN w.messages > 0 THEN format('%s messages wait for a schema', w.messages) END,
           CASE WHEN c.epochs IS NOT NULL AND now() - g.watermark < interval '1 minute' IS NOT TRUE THEN c.epochs END),
           ''),
           CASE WHEN g.watermark IS NULL THEN 'nothing: no promise yet'
                WHEN g.watermark < now() - interval '1 minute' THEN format('nothing: no promise since %s',
                    to_char(g.watermark AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
                ELSE 'nothing' END) AS waits_for
FROM telemetry.gateway g
LEFT JOIN telemetry.partition p ON p.partition = g.partition
LEFT JOIN LATERAL (SELECT array_agg(DISTINCT m.site ORDER BY m.site) AS sites FROM telemetry.device_metadata m
                   WHERE m.gateway = g.gateway AND m.site IS NOT NULL) s ON true
LEFT JOIN LATERAL (
    SELECT string_agg(format('%s %s-%s of epoch %s sealed, not arrived', lane, first, last, epoch), '; '
               ORDER BY epoch, lane, first) FILTER (WHERE nr <= 3)
           || CASE WHEN count(*) > 3 THEN format('; and %s more', count(*) - 3) ELSE '' END AS gaps
    FROM (SELECT *, row_number() OVER (ORDER BY epoch, lane, first) AS nr
          FROM telemetry.unsettled WHERE gateway = g.gateway) n) u ON true
LEFT JOIN LATERAL (SELECT count(*) AS messages FROM telemetry.waiting_message WHERE gateway = g.gateway) w ON true
LEFT JOIN LATERAL (
    SELECT string_agg(format('epoch %s, which nobody closed', epoch), '; ' ORDER BY epoch) AS epochs
    FROM telemetry.unclosed_epochs WHERE gateway = g.gateway) c ON true;

CREATE VIEW telemetry.lag AS
SELECT b.gateway, b.partition, p.owner, s.sites, b.on_the_way,
       coalesce((SELECT sum(u.sequences) FROM telemetry.unsettled u
                 WHERE u.gateway = b.gateway), 0)::bigint AS unsettled,
       w.messages AS waiting_messages, w.since AS waiting_since, b.watermark, now() - b.watermark AS watermark_age,
       g.changed_at AS committed_at, now() - g.changed_at AS committed_age,
       v.messages AS live_messages, v.oldest_at AS live_oldest_at, k.messages AS backlog_messages,
       k.oldest_at AS backlog_oldest_at, least(v.removed_at, k.removed_at) AS removed_at,
       (ARRAY['none', 'info', 'warning', 'critical', 'outlives the log'])[greatest(v.stage, k.stage) + 1] AS stage,
       least(v.looked_at, k.looked_at) AS looked_at
FROM telemetry.books b
LEFT JOIN telemetry.gateway g ON g.gateway = b.gateway
LEFT JOIN telemetry.partition p ON p.partition = b.partition
LEFT JOIN telemetry.stream_lag v ON v.partition = b.partition AND v.stream = 'live'
LEFT JOIN telemetry.stream_lag k ON k.partition = b.partition AND k.stream = 'backlog'
LEFT JOIN LATERAL (SELECT array_agg(DISTINCT m.site ORDER BY m.site) AS sites FROM telemetry.device_metadata m
                   WHERE m.gateway = b.gateway AND m.site IS NOT NULL) s ON true
LEFT JOIN LATERAL (SELECT count(*) AS messages, min(kept_at) AS since FROM telemetry.waiting_message
                   WHERE gateway = b.gateway) w ON true;

-- The least watermark of the gateways of each group. label is 'site', or a label of the devices. A gateway is missing
-- if it has no watermark, or one older than patience.
CREATE FUNCTION telemetry.fleet_watermark(label text, patience interval DEFAULT '5 minutes')
RETURNS TABLE (value text, gateways bigint, watermark timestamptz, age interval, missing text[],
    watermark_of_others timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT v.value, count(*), CASE WHEN count(b.watermark) = count(*) THEN min(b.watermark) END,
           CASE WHEN count(b.watermark) = count(*) THEN now() - min(b.watermark) END,
           coalesce(array_agg(v.gateway ORDER BY v.gateway) FILTER (WHERE m.missing), '{}'),
           min(b.watermark) FILTER (WHERE NOT m.missing)
    FROM (SELECT DISTINCT a.gateway, t.value
          FROM (SELECT gateway FROM telemetry.devices UNION SELECT gateway FROM telemetry.books) a
          LEFT JOIN (SELECT gateway, CASE $1 WHEN 'site' THEN site ELSE labels ->> $1 END AS value
                     FROM telemetry.devices) t ON t.gateway = a.gateway AND t.value IS NOT NULL) v
    LEFT JOIN telemetry.books b USING (gateway)
    CROSS JOIN LATERAL (SELECT coalesce(b.watermark < now() - $2, true) AS missing) m
    GROUP BY v.value
    ORDER BY v.value
$$;

CREATE VIEW telemetry.fleet_watermark_by_site AS
SELECT value AS site, gateways, watermark, age, missing, watermark_of_others FROM telemetry.fleet_watermark('site');

-- Readings that were stored when their window was complete: by series, window and frame. A reading alone does not say
-- when it came.
CREATE VIEW telemetry.late_readings AS
SELECT r.gateway, r.device, r.metric, r.labels, r.start, r.until, r.readings, r.numbers, r.sum, r.cause,
       r.at AS stored_at, r.at - r.until AS late_by, r.frame, d.home_gateway, d.site, d.location, d.device_labels,
       r.series
FROM telemetry.device_series d
JOIN telemetry.window_revisions r ON r.series = d.series AND r.start < d.valid_to
    AND (r.start >= d.valid_from OR d.arrived AND r.until > d.valid_from) AND NOT (d.replaced AND r.until > d.valid_to);

-- Frames whose newest reading was stored ten minutes or more after its own time.
CREATE VIEW telemetry.late_frames AS
SELECT f.gateway, lpad(to_hex(f.epoch), 16, '0') AS epoch, (ARRAY['critical', 'live', 'backlog'])[f.lane + 1] AS lane,
       f.first, f.first + f.count - 1 AS last, f.stored AS readings, f.time_first, f.time_last, f.stored_at,
       f.stored_at - f.time_last AS late_by
FROM telemetry.frame_register f
WHERE f.stored > 0 AND f.stored_at - f.time_last >= interval '10 minutes';

-- It reads tables on behalf of whoever calls it.
ALTER FUNCTION telemetry.window_check(interval) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
