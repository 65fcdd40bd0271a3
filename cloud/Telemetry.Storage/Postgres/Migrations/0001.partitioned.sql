-- Plain PostgreSQL. Days and weeks are made when they are first needed; the default partitions refuse nothing.

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
) PARTITION BY RANGE (stored_at);
CREATE TABLE telemetry.frame_register_default PARTITION OF telemetry.frame_register DEFAULT;
CREATE INDEX frame_register_frames ON telemetry.frame_register (gateway, epoch, lane, first);

CREATE TABLE telemetry.reading (
    device_key bigint NOT NULL,
    series_key bigint NOT NULL,
    time       timestamptz NOT NULL,
    i          bigint,
    f          double precision,
    flags      smallint NOT NULL,
    t          text
) PARTITION BY RANGE (time);
CREATE TABLE telemetry.reading_default PARTITION OF telemetry.reading DEFAULT;
-- A few pages a week: lets a query for the last hour skip the rest. See docs/adr/0011.
CREATE INDEX reading_time ON telemetry.reading USING brin (time) WITH (autosummarize = on);
