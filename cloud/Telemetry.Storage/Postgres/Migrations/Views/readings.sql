-- A line that begins with the name of a part (partitioned, hypertable, columnstore) and a colon is executed where the
-- migrations have that part.

-- The columnstore finds a series by its device: a join that names both reads the batches of one device.

-- A reading's flags: bits 0-1 quality, 2 null, 3 time estimated, 8-11 one more than the decimals of a float kept in i.
CREATE VIEW telemetry.reading_plain AS
SELECT s.gateway, s.device, s.metric, s.labels, r.time,
       CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN s.type IN (1, 2) THEN r.i::double precision END AS number,
       CASE WHEN s.type = 1 THEN r.i::numeric
            WHEN s.type = 2 THEN CASE WHEN r.i < 0 THEN r.i + 18446744073709551616 ELSE r.i::numeric END END AS integer,
       CASE WHEN s.type = 3 THEN r.i <> 0 END AS truth,
       r.t AS text,
       s.unit,
       CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END AS quality,
       (r.flags & 8) <> 0 AS time_estimated,
       r.series
FROM telemetry.reading r
LEFT JOIN telemetry.series s ON s.id = r.series
--columnstore:    AND s.device_id = r.device
;

-- The numbers of readings as windows take them: null where there is none, and for text.
CREATE VIEW telemetry.reading_number AS
SELECT r.series, r.time, r.flags,
       CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN s.type < 4 THEN r.i::double precision END AS number,
       r.flags & 4 = 0 AND r.flags & 3 < 2 AND coalesce(r.f, 0) <> 'NaN' AS counts,
--partitioned:       NOT r.indexed AS arrived
--hypertable:       r.time >= telemetry.open_chunks_since() AS arrived
FROM telemetry.reading r
JOIN telemetry.series s ON s.id = r.series
--columnstore:    AND s.device_id = r.device
;

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
--columnstore:JOIN telemetry.series s ON s.id = d.series
JOIN telemetry.reading r ON r.series = d.series AND r.time >= d.valid_from AND r.time < d.valid_to
--columnstore:    AND r.series = s.id AND r.device = s.device_id
;

-- The newest reading of each series of a gateway, with the columns of telemetry.reading_plain.
CREATE FUNCTION telemetry.latest_readings(in_gateway text)
RETURNS TABLE (gateway text, device text, metric text, labels jsonb, "time" timestamptz, number double precision,
    "integer" numeric, truth boolean, text text, unit text, quality text, time_estimated boolean, series integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.gateway, s.device, s.metric, s.labels, r.time,
           CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision
                    / power(10::double precision, ((r.flags >> 8) & 15) - 1))
                WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
                WHEN s.type IN (1, 2) THEN r.i::double precision END,
           CASE WHEN s.type = 1 THEN r.i::numeric
                WHEN s.type = 2 THEN CASE WHEN r.i < 0 THEN r.i + 18446744073709551616 ELSE r.i::numeric END END,
           CASE WHEN s.type = 3 THEN r.i <> 0 END,
           r.t, s.unit,
           CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END,
           (r.flags & 8) <> 0, s.id
    FROM telemetry.latest_rows(ARRAY(SELECT id FROM telemetry.series WHERE series.gateway = in_gateway)) r
    JOIN telemetry.series s ON s.id = r.series
$$;

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

-- Frames whose newest reading was stored ten minutes or more after its own time.
CREATE VIEW telemetry.late_frames AS
SELECT f.gateway, lpad(to_hex(f.epoch), 16, '0') AS epoch, (ARRAY['critical', 'live', 'backlog'])[f.lane + 1] AS lane,
       f.first, f.first + f.count - 1 AS last, f.stored AS readings, f.time_first, f.time_last, f.stored_at,
       f.stored_at - f.time_last AS late_by
FROM telemetry.frame_register f
WHERE f.stored > 0 AND f.stored_at - f.time_last >= interval '10 minutes';
