-- The history of alerts (view: Views/alerts.sql), and the gaps over which rules are run again.

-- One row an instance: an interval of event time in which a rule's condition held on a series.
CREATE TABLE telemetry.alert (
    id              bytea PRIMARY KEY,
    gateway         text COLLATE "C" NOT NULL,
    rule            text NOT NULL,
    series_identity bytea NOT NULL,
    rule_version    bigint NOT NULL,
    severity        text NOT NULL,
    state           smallint NOT NULL,
    began_micros    bigint NOT NULL,
    fired_micros    bigint NOT NULL,
    ended_micros    bigint,
    peak            double precision NOT NULL,
    late            boolean NOT NULL,
    delay_micros    bigint NOT NULL,
    revision        integer NOT NULL,
    said            bigint NOT NULL,
    named_micros    bigint NOT NULL,
    published_at    timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL
) WITH (fillfactor = 80);
COMMENT ON COLUMN telemetry.alert.state IS '0 firing, 1 resolved, 2 retracted';
COMMENT ON COLUMN telemetry.alert.said IS 'which contents its corrections had, one bit each by a hash';
COMMENT ON COLUMN telemetry.alert.named_micros IS 'when it began as it was published first: its id is made of this';
CREATE INDEX alert_gateway
    ON telemetry.alert (gateway, greatest(coalesce(ended_micros, fired_micros), named_micros));
CREATE INDEX alert_firing ON telemetry.alert (gateway) WHERE state = 0;

-- When the open instance opened and its most extreme value; what must be evaluated again: the readings after gap_from,
-- once the watermark is beyond gap_to (without a checkpoint the state at gap_from follows from the history); and what the
-- kind of rule remembers of earlier readings.
ALTER TABLE telemetry.alert_state
    ADD COLUMN fired_micros bigint NOT NULL DEFAULT 0,
    ADD COLUMN peak double precision NOT NULL DEFAULT 0,
    ADD COLUMN gap_from bigint,
    ADD COLUMN gap_to bigint,
    ADD COLUMN checkpoint bytea,
    ADD COLUMN memory_micros bigint NOT NULL DEFAULT 0,
    ADD COLUMN memory double precision NOT NULL DEFAULT 0;
UPDATE telemetry.alert_state SET fired_micros = started_micros WHERE state = 2;
CREATE INDEX alert_state_gap ON telemetry.alert_state (gateway) WHERE gap_from IS NOT NULL;

-- Instances that were open before there was a history. Their severity and when they opened are not known any more.
INSERT INTO telemetry.alert
SELECT instance, gateway, rule, series_identity, rule_version, 'warning', 0, started_micros, started_micros, NULL, 0,
       false, 0, 0, 0, started_micros, now(), now()
FROM telemetry.alert_state WHERE state = 2;
