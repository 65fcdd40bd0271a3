-- Windows: the parts that transactions stored of them, what changed complete ones, and what people ask.

-- The event times of the windows whose parts are in the owner's memory alone; null when there is none.
ALTER TABLE telemetry.gateway ADD COLUMN window_from timestamptz, ADD COLUMN window_to timestamptz;

-- The event times between which lost readings lie, from the frames before and after them; null where there is no frame.
ALTER TABLE telemetry.run ADD COLUMN time_first timestamptz, ADD COLUMN time_last timestamptz;

CREATE TABLE telemetry.window_width (
    id            integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    metric        text NOT NULL,
    width_seconds integer NOT NULL,
    valid_from    timestamptz NOT NULL,
    added_at      timestamptz NOT NULL,
    added_by      text NOT NULL
);
COMMENT ON TABLE telemetry.window_width IS 'only ever added to; see docs/guides/windows.md';

CREATE TABLE telemetry.window_revision (
    series   integer NOT NULL,
    start    timestamptz NOT NULL,
    width    integer NOT NULL,
    cause    smallint NOT NULL,
    gateway  text COLLATE "C" NOT NULL,
    epoch    bigint NOT NULL,
    lane     smallint NOT NULL,
    first    bigint NOT NULL,
    count    integer NOT NULL,
    readings integer NOT NULL,
    numbers  integer NOT NULL,
    sum      double precision,
    at       timestamptz NOT NULL
);
CREATE INDEX window_revision_windows ON telemetry.window_revision (series, start);
COMMENT ON COLUMN telemetry.window_revision.cause IS '1 late, 2 recovered, 3 retried';

CREATE INDEX dead_letter_times ON telemetry.dead_letter (series_identity, time_micros)
    WHERE retried_at IS NULL AND readings > 0 AND series_identity <> '\x';

-- How far the owners are behind the log, as they last looked (about every ten seconds). For people; nothing depends on it.
CREATE TABLE telemetry.stream_lag (
    partition  integer NOT NULL,
    stream     text NOT NULL,
    messages   bigint NOT NULL,
    oldest_at  timestamptz,
    removed_at timestamptz,
    stage      smallint NOT NULL,
    looked_at  timestamptz NOT NULL,
    PRIMARY KEY (partition, stream)
) WITH (fillfactor = 50);
COMMENT ON COLUMN telemetry.stream_lag.stage IS '0 not behind, 1 info, 2 warning, 3 critical, 4 outlives the log';
