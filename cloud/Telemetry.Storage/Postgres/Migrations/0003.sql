-- Dead letters that can be read and retried: what their bytes are, and when they were stored after all.

ALTER TABLE telemetry.dead_letter
    ADD COLUMN content smallint NOT NULL DEFAULT 3,
    ADD COLUMN flags smallint NOT NULL DEFAULT 0,
    ADD COLUMN schema bytea NOT NULL DEFAULT '\x',
    ADD COLUMN retried_at timestamptz;
UPDATE telemetry.dead_letter SET content = 1 WHERE reason IN (1, 2);
CREATE INDEX dead_letter_unbooked ON telemetry.dead_letter (gateway, id) WHERE readings = 0;
COMMENT ON COLUMN telemetry.dead_letter.content IS
    '1 a value: 8 bytes little-endian, or text; 2 readings in the columns of a frame; 3 a frame or message as it came; 4 a frame that the register lacks';
COMMENT ON COLUMN telemetry.dead_letter.retried_at IS 'null while its readings count as rejected';

-- Which of these readings the table refuses for their own sake (SQLSTATE class 22 or 23), each tried behind those before
-- it. What it inserts is meant to be rolled back. Any other error ends it: then nothing is known of the readings.
CREATE FUNCTION telemetry.refused_readings(
    device_keys bigint[], series_keys bigint[], times timestamptz[], i bigint[], f double precision[], flags smallint[],
    t bytea[])
RETURNS TABLE (reading integer, error text) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. cardinality(series_keys) LOOP
        BEGIN
            INSERT INTO telemetry.reading (device_key, series_key, time, i, f, flags, t)
            VALUES (device_keys[n], series_keys[n], times[n], refused_readings.i[n], refused_readings.f[n],
                refused_readings.flags[n], convert_from(refused_readings.t[n], 'UTF8'));
        EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
            reading := n - 1;
            error := SQLSTATE || ' ' || SQLERRM;
            RETURN NEXT;
        END;
    END LOOP;
END $$;

-- Sums in numeric: what one gateway says of itself, however large, must not fail the books of all.
CREATE OR REPLACE VIEW telemetry.books AS
SELECT gateway, g.partition,
       -- What is settled was accepted, also where the gateway has not yet told its new total.
       least(greatest(coalesce(o.accepted, 0), coalesce(g.settled, 0)), 9223372036854775807)::bigint AS accepted,
       coalesce(g.stored, 0) AS stored,
       coalesce(g.rejected, 0) AS rejected,
       coalesce(g.dropped, 0) AS dropped,
       coalesce(g.lost, 0) AS lost,
       least(greatest(0, coalesce(o.accepted, 0) - coalesce(g.settled, 0)), 9223372036854775807)::bigint AS on_the_way,
       g.watermark,
       coalesce(g.fork, '') AS fork
FROM (SELECT *, stored::numeric + rejected + dropped + lost AS settled FROM telemetry.gateway) g
FULL JOIN (SELECT gateway, sum(accepted) AS accepted FROM telemetry.outbox GROUP BY gateway) o USING (gateway);
