-- Windows: the parts that transactions stored of them, what changed complete ones, and what people ask.

-- The event times of the windows whose parts are in the owner's memory alone; null when there is none.
ALTER TABLE telemetry.gateway ADD COLUMN window_from timestamptz, ADD COLUMN window_to timestamptz;

-- The event times between which lost readings lie, from the frames before and after them; null where there is no frame.
ALTER TABLE telemetry.run ADD COLUMN time_first timestamptz, ADD COLUMN time_last timestamptz;

CREATE TABLE telemetry.window_width (
    id            integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    metric        text NOT NULL,
    width_seconds integer NOT NULL CHECK (width_seconds IN (1, 2, 3, 5, 10, 15, 20, 30, 60, 100, 150, 300)),
    valid_from    timestamptz NOT NULL CHECK (valid_from = '-infinity' OR extract(epoch FROM valid_from) % 300 = 0),
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

-- Removes the parts of each gateway's windows that lie within [first, last) and end after the watermark.
--
-- Before it deletes, TimescaleDB moves rows of compressed chunks into row form: all rows that the conditions do not exclude,
-- of which it uses literals alone. So each gateway has a statement of its own, with its series and times as literals. By
-- default more than 100,000 such rows are an error; after an outage of days the span may lie in a compressed chunk, and the
-- owner has to remove the parts all the same. Without TimescaleDB nothing reads the setting.
CREATE FUNCTION telemetry.remove_parts(
    gateways text[], firsts timestamptz[], lasts timestamptz[], watermarks timestamptz[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    removal record;
BEGIN
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
    FOR removal IN
        SELECT u.*, ARRAY(SELECT s.id FROM telemetry.series s WHERE s.gateway = u.gateway) AS series
        FROM unnest(gateways, firsts, lasts, watermarks) u(gateway, first, last, watermark)
    LOOP
        EXECUTE format(
            'DELETE FROM telemetry.window_part WHERE series = ANY (%L::integer[]) AND start >= %L::timestamptz '
            'AND start < %L::timestamptz AND start + make_interval(secs => width) <= $1 '
            'AND ($2 IS NULL OR start + make_interval(secs => width) > $2)',
            removal.series, removal.first, removal.last)
        USING removal.last, removal.watermark;
    END LOOP;
END $$;

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
