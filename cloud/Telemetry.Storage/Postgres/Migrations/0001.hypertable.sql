-- TimescaleDB, either edition.

CREATE TABLE telemetry.frame_register (
    gateway    text COLLATE "C" NOT NULL,
    epoch      bigint NOT NULL,
    lane       smallint NOT NULL,
    first      bigint NOT NULL,
    count      integer NOT NULL,
    stored     integer NOT NULL,
    rejected   integer NOT NULL,
    dropped    integer NOT NULL,
    time_first timestamptz NOT NULL,
    time_last  timestamptz NOT NULL,
    checksum   bigint NOT NULL,
    hash_sum   bigint NOT NULL,
    stored_at  timestamptz NOT NULL
);
SELECT create_hypertable('telemetry.frame_register', 'stored_at',
    chunk_time_interval => interval '1 day', create_default_indexes => false);
CREATE INDEX frame_register_frames ON telemetry.frame_register (gateway, epoch, lane, first);

CREATE TABLE telemetry.reading (
    device_key bigint NOT NULL,
    series_key bigint NOT NULL,
    time       timestamptz NOT NULL,
    i          bigint,
    f          double precision,
    flags      smallint NOT NULL,
    t          text
);
SELECT create_hypertable('telemetry.reading', 'time',
    chunk_time_interval => interval '1 day', create_default_indexes => false);
