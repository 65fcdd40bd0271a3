-- Hypertables get their readings here; partitions have theirs.

DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'telemetry.reading'::regclass) = 'p' THEN
        NULL;
    ELSIF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'telemetry.reading'::regclass AND attname = 'device') THEN
        EXECUTE 'INSERT INTO telemetry.reading (device, time, i, f, series, flags, t) '
            'SELECT n.device_id, r.time, r.i, r.f, n.id, r.flags, r.t '
            'FROM telemetry.reading_before r JOIN telemetry.series_number n USING (series_key, device_key)';
    ELSE
        INSERT INTO telemetry.reading (time, i, f, series, flags, t)
        SELECT r.time, r.i, r.f, n.id, r.flags, r.t
        FROM telemetry.reading_before r JOIN telemetry.series_number n USING (series_key, device_key);
    END IF;
END $$;

-- Readings that no table named a series of: there should be none. If there are, they stay as they were.
CREATE TABLE telemetry.reading_unnamed AS
SELECT r.* FROM telemetry.reading_before r LEFT JOIN telemetry.series_number n USING (series_key, device_key)
WHERE n.id IS NULL;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM telemetry.reading_unnamed) THEN
        DROP TABLE telemetry.reading_unnamed;
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = 'telemetry.reading'::regclass) = 'p' THEN
        -- A few pages a week: lets a query for the last hour skip the rest. See docs/adr/0011.
        DROP TABLE telemetry.reading_before;
        CREATE INDEX reading_time ON telemetry.reading USING brin (time) WITH (autosummarize = on);
    ELSE
        DROP TABLE telemetry.reading_before;
    END IF;
END $$;
DROP TABLE telemetry.series_number;

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
LEFT JOIN telemetry.series s ON s.id = r.series;
