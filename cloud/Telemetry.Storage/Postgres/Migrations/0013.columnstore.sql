-- TimescaleDB Community: upkeep converts chunks when they close, not the server's policy two days later. See
-- docs/adr/0053.

SELECT remove_compression_policy('telemetry.reading', if_exists => true);
SELECT remove_compression_policy('telemetry.window_part', if_exists => true);

-- The columnstore finds a series by its device: a join that names both reads the batches of one device.
CREATE OR REPLACE VIEW telemetry.reading_plain AS
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
LEFT JOIN telemetry.series s ON s.id = r.series AND s.device_id = r.device;

CREATE OR REPLACE VIEW telemetry.reading_number AS
SELECT r.series, r.time, r.flags,
       CASE WHEN s.type = 0 THEN coalesce(r.f, r.i::double precision / power(10::double precision, ((r.flags >> 8) & 15) - 1))
            WHEN s.type = 2 AND r.i < 0 THEN (r.i + 18446744073709551616)::double precision
            WHEN s.type < 4 THEN r.i::double precision END AS number,
       r.flags & 4 = 0 AND r.flags & 3 < 2 AND coalesce(r.f, 0) <> 'NaN' AS counts
FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series AND s.device_id = r.device;

CREATE OR REPLACE VIEW telemetry.readings AS
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
JOIN telemetry.series s ON s.id = d.series
JOIN telemetry.reading r ON r.series = s.id AND r.device = s.device_id AND r.time >= d.valid_from AND r.time < d.valid_to;
