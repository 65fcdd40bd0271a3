-- Epochs know their outbox: what its agent does not name any more is of a life that was put back.

ALTER TABLE telemetry.epoch ADD COLUMN outbox bigint;

-- Alerts: what each rule knows of each series, and the transitions on their way to Kafka.

ALTER TABLE telemetry.partition
    ADD COLUMN alert_number bigint NOT NULL DEFAULT 0,
    ADD COLUMN alert_chain bytea NOT NULL DEFAULT '\x00000000000000000000000000000000';

CREATE TABLE telemetry.alert_state (
    gateway        text COLLATE "C" NOT NULL,
    rule           text NOT NULL,
    rule_version   bigint NOT NULL,
    series_key     bigint NOT NULL,
    state          smallint NOT NULL,
    instance       bytea NOT NULL,
    started_micros bigint NOT NULL,
    time_micros    bigint NOT NULL,
    PRIMARY KEY (gateway, rule, series_key)
) WITH (fillfactor = 50);
COMMENT ON COLUMN telemetry.alert_state.state IS '0 quiet, 1 pending, 2 firing';

-- Numbered without gaps in each partition; chain is a hash over all rows of the partition up to this one.
CREATE TABLE telemetry.alert_outbox (
    partition integer NOT NULL,
    number    bigint NOT NULL,
    chain     bytea NOT NULL,
    id        text COLLATE "C" NOT NULL,
    event     bytea NOT NULL,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (partition, number)
);
CREATE INDEX alert_outbox_id ON telemetry.alert_outbox (id);

-- One relay at a time publishes; Kafka's fencing is the proof, this lease keeps two from fencing each other in turns.
CREATE TABLE telemetry.relay (
    relay       text PRIMARY KEY,
    owner       text NOT NULL,
    token       bigint NOT NULL,
    lease_until timestamptz NOT NULL
);

-- Where the relay stands, for people and metrics; the proof is in Kafka.
CREATE TABLE telemetry.relay_position (
    partition    integer PRIMARY KEY,
    number       bigint NOT NULL,
    published_at timestamptz NOT NULL
);

-- Found in Kafka's topic and not in the database: it was put back to an earlier copy after they left.
CREATE TABLE telemetry.alert_orphan (
    id       text COLLATE "C" PRIMARY KEY,
    partition integer NOT NULL,
    number   bigint NOT NULL,
    event    bytea NOT NULL,
    found_at timestamptz NOT NULL
);
