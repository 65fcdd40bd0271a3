-- Plain PostgreSQL: readings arrive in a table without any index; upkeep moves them, sorted, to partitions by week that
-- have one. See docs/adr/0050.

-- Views of the table name it by its number. They are made again below, for the table that gets its name. A materialized
-- view cannot be replaced, and would go on without what arrives from now on.
DO $$
DECLARE
    kept text;
BEGIN
    SELECT v.oid::regclass::text INTO kept
    FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'm'
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = 'telemetry.reading'::regclass
    LIMIT 1;
    IF kept IS NOT NULL THEN
        RAISE EXCEPTION 'The materialized view % reads telemetry.reading. Drop it, start again, and make it anew.', kept;
    END IF;
END $$;

CREATE TEMPORARY TABLE reading_view ON COMMIT DROP AS
SELECT DISTINCT v.oid::regclass::text AS name, pg_get_viewdef(v.oid) AS definition,
       coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '') AS options
FROM pg_depend d
JOIN pg_rewrite r ON r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = 'telemetry.reading'::regclass;

ALTER TABLE telemetry.reading RENAME TO reading_indexed;
ALTER TABLE telemetry.reading_indexed ADD COLUMN indexed boolean NOT NULL DEFAULT true;

CREATE TABLE telemetry.reading (
    time    timestamptz NOT NULL,
    i       bigint,
    f       double precision,
    series  integer NOT NULL,
    flags   smallint NOT NULL,
    t       text,
    indexed boolean NOT NULL DEFAULT false
) PARTITION BY LIST (indexed);
COMMENT ON COLUMN telemetry.reading.indexed IS 'whether upkeep has moved the reading to its week; false when it is stored';

-- Upkeep removes dead rows itself after each move. Rows that are only inserted need no vacuum: they will be moved.
CREATE TABLE telemetry.reading_arrived PARTITION OF telemetry.reading FOR VALUES IN (false)
    WITH (autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE telemetry.reading ATTACH PARTITION telemetry.reading_indexed FOR VALUES IN (true);

-- Not valid until upkeep has built it for each week that has readings already; weeks without any get it here.
CREATE INDEX reading_series ON ONLY telemetry.reading_indexed (series, time);
DO $$
DECLARE
    week record;
    filled boolean;
BEGIN
    FOR week IN SELECT c.relname AS name FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'telemetry.reading_indexed'::regclass
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM telemetry.%I)', week.name) INTO filled;
        IF NOT filled THEN
            EXECUTE format('CREATE INDEX %I ON telemetry.%I (series, time)', week.name || '_series', week.name);
            EXECUTE format('ALTER INDEX telemetry.reading_series ATTACH PARTITION telemetry.%I', week.name || '_series');
        END IF;
    END LOOP;

    FOR week IN SELECT * FROM reading_view LOOP
        EXECUTE format('CREATE OR REPLACE VIEW %s%s AS %s', week.name, week.options, week.definition);
    END LOOP;
END $$;

-- The newest reading of each of the series: one look at what arrived, and one by index for each series.
CREATE FUNCTION telemetry.latest_rows(in_series integer[])
RETURNS SETOF telemetry.latest_row
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (v.series) v.series, v.time, v.i, v.f, v.flags, v.t
    FROM (SELECT * FROM (
              SELECT DISTINCT ON (r.series) r.series, r.time, r.i, r.f, r.flags, r.t
              FROM telemetry.reading r
              WHERE NOT r.indexed AND r.series IN (SELECT unnest(in_series))
              ORDER BY r.series, r.time DESC) arrived
          UNION ALL
          SELECT x.* FROM unnest(in_series) s(series) CROSS JOIN LATERAL (
              SELECT r.series, r.time, r.i, r.f, r.flags, r.t FROM telemetry.reading r
              WHERE r.indexed AND r.series = s.series ORDER BY r.time DESC LIMIT 1) x) v
    ORDER BY v.series, v.time DESC
$$;
