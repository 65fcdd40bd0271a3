-- From this version on, views are made anew after each migration, from Views/*.sql. telemetry.windows has what
-- telemetry.device_windows had, which is no more.

-- The times of the devices that moved: one row for each gateway and each stay. A move away ends a stay, which goes on at
-- the other gateway; a move to the gateway ends the stay of an earlier device of that name, which is gone (home_gateway is
-- null). It follows from telemetry.device_move, and is kept because nearly every view joins it.
CREATE TABLE telemetry.device_place (
    device       text NOT NULL,
    gateway      text COLLATE "C" NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz NOT NULL,
    home_gateway text COLLATE "C",
    arrived      boolean NOT NULL,
    replaced     boolean NOT NULL
);
CREATE INDEX device_place_devices ON telemetry.device_place (device, gateway);

CREATE FUNCTION telemetry.place_devices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two moves at once: the second one sees the first.
    LOCK TABLE telemetry.device_place IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM telemetry.device_place;
    INSERT INTO telemetry.device_place
    WITH RECURSIVE event AS (
        SELECT device, from_gateway AS gateway, at, to_gateway AS next FROM telemetry.device_move
        UNION ALL
        SELECT device, to_gateway, at, NULL FROM telemetry.device_move),
    stay AS (
        SELECT device, gateway, lag(at, 1, '-infinity') OVER w AS valid_from, at AS valid_to, next,
               next IS NULL AS replaced, coalesce(lag(next IS NULL) OVER w, false) AS arrived
        FROM event WINDOW w AS (PARTITION BY device, gateway ORDER BY at)
        UNION ALL
        SELECT * FROM (SELECT DISTINCT ON (device, gateway) device, gateway, at, timestamptz 'infinity', NULL, false,
                              next IS NULL
                       FROM event ORDER BY device, gateway, at DESC) last),
    place AS (
        SELECT device, gateway, valid_from, valid_to, replaced, arrived,
               CASE WHEN NOT replaced THEN gateway END AS home_gateway
        FROM stay WHERE next IS NULL
        UNION
        SELECT s.device, s.gateway, s.valid_from, s.valid_to, s.replaced, s.arrived, p.home_gateway
        FROM place p
        JOIN stay s ON s.device = p.device AND s.next = p.gateway AND s.valid_to = p.valid_from)
    SELECT device, gateway, valid_from, valid_to, home_gateway, arrived, replaced FROM place;
    RETURN NULL;
END $$;

CREATE TRIGGER device_places AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON telemetry.device_move
    EXECUTE FUNCTION telemetry.place_devices();
UPDATE telemetry.device_move SET moved_by = moved_by;

-- See Views/windows.sql.
CREATE TYPE telemetry.arrived_span AS (start timestamptz, times timestamptz[], numbers double precision[]);
