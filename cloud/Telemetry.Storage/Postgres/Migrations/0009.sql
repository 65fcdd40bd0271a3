-- Devices as people describe and move them, and the role that people query with.

-- By names: a device may be described before its first reading.
CREATE TABLE telemetry.device_metadata (
    gateway    text COLLATE "C" NOT NULL,
    device     text NOT NULL,
    site       text,
    location   text,
    labels     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    time_zone  text CHECK (now() AT TIME ZONE time_zone IS NOT NULL OR time_zone IS NULL),
    limits     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object'),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway, device)
);
CREATE INDEX device_metadata_sites ON telemetry.device_metadata (site);
COMMENT ON COLUMN telemetry.device_metadata.limits IS 'by metric: {"temperature": {"low": -10, "high": 80}}';

-- Readings of the device until the time come from one gateway, later ones from the other.
CREATE TABLE telemetry.device_move (
    id           integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    device       text NOT NULL,
    from_gateway text COLLATE "C" NOT NULL,
    to_gateway   text COLLATE "C" NOT NULL,
    at           timestamptz NOT NULL CHECK (isfinite(at)),
    moved_at     timestamptz NOT NULL DEFAULT now(),
    moved_by     text NOT NULL,
    CHECK (from_gateway <> to_gateway),
    UNIQUE (device, from_gateway, at),
    UNIQUE (device, to_gateway, at)
);

-- People ask for a device by its name.
CREATE INDEX series_devices ON telemetry.series (device, metric);

-- Makes the role telemetry_reader, and lets it read every view of the schema, and the two tables that windows_as_of
-- reads as whoever calls it, so that a condition on its result reads an index. False when this user may not do that.
CREATE FUNCTION telemetry.grant_reader() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'telemetry_reader') THEN
        BEGIN
            CREATE ROLE telemetry_reader NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- The migration of another database of this server made it meanwhile.
        END;
    END IF;
    IF NOT has_schema_privilege('telemetry_reader', 'telemetry', 'USAGE') THEN
        GRANT USAGE ON SCHEMA telemetry TO telemetry_reader;
    END IF;
    FOR wanted IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'telemetry'::regnamespace AND (relkind = 'v' OR relname IN ('series', 'window_part'))
          AND NOT has_table_privilege('telemetry_reader', oid, 'SELECT')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO telemetry_reader', wanted.name);
    END LOOP;
    RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN false;
END $$;
