-- TimescaleDB, either edition: the table; the readings follow once it has all of its columns.

ALTER TABLE telemetry.reading RENAME TO reading_before;

-- In this order no column waits for the next 8 bytes.
CREATE TABLE telemetry.reading (
    time   timestamptz NOT NULL,
    i      bigint,
    f      double precision,
    series integer NOT NULL,
    flags  smallint NOT NULL,
    t      text
);
SELECT create_hypertable('telemetry.reading', 'time',
    chunk_time_interval => interval '1 day', create_default_indexes => false);
