-- Plain PostgreSQL: the readings, partition by partition.

ALTER TABLE telemetry.reading RENAME TO reading_before;
ALTER INDEX telemetry.reading_time RENAME TO reading_before_time;

-- In this order no column waits for the next 8 bytes.
CREATE TABLE telemetry.reading (
    time   timestamptz NOT NULL,
    i      bigint,
    f      double precision,
    series integer NOT NULL,
    flags  smallint NOT NULL,
    t      text
) PARTITION BY RANGE (time);

DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'telemetry.reading_before'::regclass
    LOOP
        EXECUTE format('ALTER TABLE telemetry.%I RENAME TO %I', part.name, part.name || '_before');
        EXECUTE format('CREATE TABLE telemetry.%I PARTITION OF telemetry.reading %s', part.name, part.bound);
        EXECUTE format(
            'INSERT INTO telemetry.%I (time, i, f, series, flags, t) SELECT r.time, r.i, r.f, n.id, r.flags, r.t '
            'FROM telemetry.%I r JOIN telemetry.series_number n USING (series_key, device_key)',
            part.name, part.name || '_before');
    END LOOP;
END $$;
