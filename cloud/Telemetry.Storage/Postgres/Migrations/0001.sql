-- Numbers that are unsigned 64-bit elsewhere (keys, epochs, tokens, checksums, hash sums) are the same 64 bits as bigint.
-- Times of readings are timestamptz; times that the log gave are nanoseconds since 1970 as it gave them.

CREATE TABLE telemetry.partition (
    partition        integer PRIMARY KEY,
    token            bigint NOT NULL,
    owner            text NOT NULL,
    lease_until      timestamptz NOT NULL,
    commits          bigint NOT NULL,
    live_created     bigint NOT NULL,
    live_sequence    bigint NOT NULL,
    live_message     text NOT NULL,
    live_stored      bigint NOT NULL,
    backlog_created  bigint NOT NULL,
    backlog_sequence bigint NOT NULL,
    backlog_message  text NOT NULL,
    backlog_stored   bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE telemetry.gateway (
    gateway    text COLLATE "C" PRIMARY KEY,
    partition  integer NOT NULL,
    stored     bigint NOT NULL,
    rejected   bigint NOT NULL,
    dropped    bigint NOT NULL,
    lost       bigint NOT NULL,
    watermark  timestamptz,
    fork       text NOT NULL,
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE telemetry.outbox (
    gateway  text COLLATE "C" NOT NULL,
    outbox   bigint NOT NULL,
    accepted bigint NOT NULL,
    PRIMARY KEY (gateway, outbox)
) WITH (fillfactor = 50);

CREATE TABLE telemetry.epoch (
    gateway              text COLLATE "C" NOT NULL,
    epoch                bigint NOT NULL,
    predecessor          bigint,
    predecessor_critical bigint,
    predecessor_live     bigint,
    predecessor_backlog  bigint,
    complete             boolean NOT NULL,
    last_critical        bigint NOT NULL,
    last_live            bigint NOT NULL,
    last_backlog         bigint NOT NULL,
    PRIMARY KEY (gateway, epoch)
) WITH (fillfactor = 50);

CREATE TABLE telemetry.lane (
    gateway      text COLLATE "C" NOT NULL,
    epoch        bigint NOT NULL,
    lane         smallint NOT NULL,
    prefix       bigint NOT NULL,
    prefix_share bigint NOT NULL,
    PRIMARY KEY (gateway, epoch, lane)
) WITH (fillfactor = 50);

CREATE TABLE telemetry.run (
    gateway text COLLATE "C" NOT NULL,
    epoch   bigint NOT NULL,
    lane    smallint NOT NULL,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    state   smallint NOT NULL,
    share   bigint NOT NULL,
    PRIMARY KEY (gateway, epoch, lane, first)
) WITH (fillfactor = 70);
COMMENT ON COLUMN telemetry.run.state IS '0 settled, 1 lost';

CREATE TABLE telemetry.schema_message (
    gateway       text COLLATE "C" NOT NULL,
    schema        bytea NOT NULL,
    parent        bytea NOT NULL,
    additions     bytea NOT NULL,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (gateway, schema)
);

-- identity is what the key hashes beside the gateway; the texts are for people, and NUL in them reads U+FFFD.
CREATE TABLE telemetry.series (
    series_key            bigint PRIMARY KEY,
    device_key            bigint NOT NULL,
    gateway               text COLLATE "C" NOT NULL,
    identity              bytea NOT NULL,
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

CREATE TABLE telemetry.drop_declaration (
    gateway    text COLLATE "C" NOT NULL,
    epoch      bigint NOT NULL,
    lane       smallint NOT NULL,
    first      bigint NOT NULL,
    count      integer NOT NULL,
    series_key bigint NOT NULL,
    series     integer NOT NULL,
    readings   integer NOT NULL,
    time_first timestamptz NOT NULL,
    time_last  timestamptz NOT NULL,
    reason     smallint NOT NULL,
    stored_at  timestamptz NOT NULL
);
CREATE INDEX drop_declaration_times ON telemetry.drop_declaration (series_key, time_last);
COMMENT ON COLUMN telemetry.drop_declaration.reason IS '1 quota, 2 thinned, 3 refused, 4 damaged, 5 test';

-- time_micros is a number because a time that no timestamptz can hold is one of the reasons for being here.
CREATE TABLE telemetry.dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway     text COLLATE "C" NOT NULL,
    epoch       bigint NOT NULL,
    lane        smallint NOT NULL,
    first       bigint NOT NULL,
    count       integer NOT NULL,
    reason      smallint NOT NULL,
    error       text NOT NULL,
    readings    integer NOT NULL,
    series_key  bigint NOT NULL,
    time_micros bigint NOT NULL,
    bytes       bytea NOT NULL,
    stored_at   timestamptz NOT NULL
);
CREATE INDEX dead_letter_gateway ON telemetry.dead_letter (gateway, id);
COMMENT ON COLUMN telemetry.dead_letter.reason IS '1 value, 2 time, 3 malformed, 4 fork, 5 database';

-- What is left of the frame register once its rows are older than the log.
CREATE TABLE telemetry.frame_register_day (
    gateway  text COLLATE "C" NOT NULL,
    day      date NOT NULL,
    frames   bigint NOT NULL,
    stored   bigint NOT NULL,
    rejected bigint NOT NULL,
    dropped  bigint NOT NULL,
    hash_sum bigint NOT NULL,
    PRIMARY KEY (gateway, day)
);
