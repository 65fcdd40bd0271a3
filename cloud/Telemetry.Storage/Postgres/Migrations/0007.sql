-- Series and devices have numbers of this database in place of 64-bit hashes, which a hostile gateway could forge.
-- A series' identity is the first 128 bits of SHA-256 over gateway, device, metric, labels and type.

DROP VIEW telemetry.reading_plain;
DROP FUNCTION telemetry.refused_readings;

CREATE TABLE telemetry.device (
    id       integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identity bytea NOT NULL UNIQUE,
    gateway  text COLLATE "C" NOT NULL,
    device   text NOT NULL
);

ALTER TABLE telemetry.series RENAME TO series_before;
ALTER INDEX telemetry.series_pkey RENAME TO series_before_pkey;
ALTER INDEX telemetry.series_names RENAME TO series_before_names;

-- The texts are for people, and NUL in them reads U+FFFD.
CREATE TABLE telemetry.series (
    id                    integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    identity              bytea NOT NULL UNIQUE,
    device_id             integer NOT NULL,
    gateway               text COLLATE "C" NOT NULL,
    device                text NOT NULL,
    metric                text NOT NULL,
    labels                jsonb NOT NULL,
    type                  smallint NOT NULL,
    unit                  text NOT NULL,
    decimals              smallint,
    extra_lateness_micros bigint NOT NULL
);
CREATE INDEX series_names ON telemetry.series (gateway, device, metric);
COMMENT ON COLUMN telemetry.series.type IS '0 float, 1 int, 2 uint, 3 bool, 4 text';
COMMENT ON COLUMN telemetry.series.id IS 'of this database alone: after a restore it may be another one';

-- The old column identity is what the hash was over, without the gateway and with three bytes of description behind it.
-- A text is its length as a varint and its bytes.
CREATE TABLE telemetry.series_number AS
SELECT s.series_key, s.device_key,
       substr(sha256(g.bytes || substr(s.identity, 1, octet_length(s.identity) - 3)), 1, 16) AS identity,
       substr(sha256(g.bytes || substr(s.identity, 1, d.bytes)), 1, 16) AS device_identity,
       NULL::integer AS id, NULL::integer AS device_id
FROM telemetry.series_before s
CROSS JOIN LATERAL (SELECT set_byte('\x00', 0, octet_length(s.gateway)) || convert_to(s.gateway, 'UTF8') AS bytes) g
CROSS JOIN LATERAL (SELECT CASE WHEN get_byte(s.identity, 0) < 128 THEN 1 + get_byte(s.identity, 0)
    ELSE 2 + (get_byte(s.identity, 0) & 127) + (get_byte(s.identity, 1) << 7) END AS bytes) d;

INSERT INTO telemetry.device (identity, gateway, device)
SELECT DISTINCT ON (n.device_identity) n.device_identity, s.gateway, s.device
FROM telemetry.series_number n JOIN telemetry.series_before s USING (series_key);

INSERT INTO telemetry.series (
    identity, device_id, gateway, device, metric, labels, type, unit, decimals, extra_lateness_micros)
SELECT n.identity, d.id, s.gateway, s.device, s.metric, s.labels, s.type, s.unit, s.decimals, s.extra_lateness_micros
FROM telemetry.series_number n
JOIN telemetry.series_before s USING (series_key)
JOIN telemetry.device d ON d.identity = n.device_identity;

UPDATE telemetry.series_number n SET id = s.id, device_id = s.device_id
FROM telemetry.series s WHERE s.identity = n.identity;
ALTER TABLE telemetry.series_number ADD PRIMARY KEY (series_key);
DROP TABLE telemetry.series_before;
ANALYZE telemetry.series_number;

-- Everything but the readings names a series by its identity; none is no bytes.
ALTER TABLE telemetry.drop_declaration ADD COLUMN series_identity bytea NOT NULL DEFAULT '\x';
UPDATE telemetry.drop_declaration d SET series_identity = n.identity
FROM telemetry.series_number n WHERE n.series_key = d.series_key;
ALTER TABLE telemetry.drop_declaration DROP COLUMN series_key;
CREATE INDEX drop_declaration_times ON telemetry.drop_declaration (series_identity, time_last);

ALTER TABLE telemetry.dead_letter ADD COLUMN series_identity bytea NOT NULL DEFAULT '\x';
UPDATE telemetry.dead_letter d SET series_identity = n.identity
FROM telemetry.series_number n WHERE n.series_key = d.series_key;
ALTER TABLE telemetry.dead_letter DROP COLUMN series_key;
COMMENT ON COLUMN telemetry.dead_letter.reason IS '1 value, 2 time, 3 malformed, 4 fork, 5 database, 6 limit';

ALTER TABLE telemetry.alert_state ADD COLUMN series_identity bytea NOT NULL DEFAULT '\x';
UPDATE telemetry.alert_state a SET series_identity = n.identity
FROM telemetry.series_number n WHERE n.series_key = a.series_key;
DELETE FROM telemetry.alert_state WHERE series_identity = '\x';
ALTER TABLE telemetry.alert_state DROP COLUMN series_key;
ALTER TABLE telemetry.alert_state ADD PRIMARY KEY (gateway, rule, series_identity);

-- Hash sums of the frame register are over identities. What was stored under keys has one sum for each gateway here, and
-- none with its frames: the sum of a gateway's readings is that of its rows of the register, of its days, and of this.
CREATE TABLE telemetry.hash_sum_carried (
    gateway  text COLLATE "C" PRIMARY KEY,
    hash_sum bigint NOT NULL
);

-- Which of these readings the table refuses for their own sake (SQLSTATE class 22 or 23), each tried behind those before
-- it. What it inserts is meant to be rolled back. Any other error ends it: then nothing is known of the readings.
CREATE FUNCTION telemetry.refused_readings(
    devices integer[], series integer[], times timestamptz[], i bigint[], f double precision[], flags smallint[],
    t bytea[])
RETURNS TABLE (reading integer, error text) LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. cardinality(times) LOOP
        BEGIN
            INSERT INTO telemetry.reading (time, i, f, series, flags, t)
            VALUES (times[n], refused_readings.i[n], refused_readings.f[n], refused_readings.series[n],
                refused_readings.flags[n], convert_from(refused_readings.t[n], 'UTF8'));
        EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
            reading := n - 1;
            error := SQLSTATE || ' ' || SQLERRM;
            RETURN NEXT;
        END;
    END LOOP;
END $$;
