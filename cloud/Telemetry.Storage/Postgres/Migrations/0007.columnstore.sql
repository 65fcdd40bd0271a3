-- TimescaleDB Community: rows name their device too, as segments of one device compact best.

ALTER TABLE telemetry.reading ADD COLUMN device integer NOT NULL;
ALTER TABLE telemetry.reading SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'device',
    timescaledb.compress_orderby = 'series, time');
SELECT add_compression_policy('telemetry.reading', compress_after => interval '2 days');

CREATE OR REPLACE FUNCTION telemetry.refused_readings(
    devices integer[], series integer[], times timestamptz[], i bigint[], f double precision[], flags smallint[],
    t bytea[])
RETURNS TABLE (reading integer, error text) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. cardinality(times) LOOP
        BEGIN
            INSERT INTO telemetry.reading (device, time, i, f, series, flags, t)
            VALUES (devices[n], times[n], refused_readings.i[n], refused_readings.f[n], refused_readings.series[n],
                refused_readings.flags[n], convert_from(refused_readings.t[n], 'UTF8'));
        EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
            reading := n - 1;
            error := SQLSTATE || ' ' || SQLERRM;
            RETURN NEXT;
        END;
    END LOOP;
END $$;
