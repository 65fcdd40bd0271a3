-- A row as telemetry.latest_rows returns it.
CREATE TYPE telemetry.latest_row AS (
    series integer, "time" timestamptz, i bigint, f double precision, flags smallint, t text);
