-- Messages that were read before the schema that they need; applied in the transaction that registers it.
CREATE TABLE telemetry.waiting_message (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    gateway    text COLLATE "C" NOT NULL,
    needs      bytea NOT NULL,
    hash       bigint NOT NULL,
    log_stored bigint NOT NULL,
    bytes      bytea NOT NULL,
    kept_at    timestamptz NOT NULL,
    PRIMARY KEY (gateway, needs, hash)
);

-- Forks that an operator explained, one a line: they are not shown again. See docs/forks.md.
ALTER TABLE telemetry.gateway ADD COLUMN fork_resolved text NOT NULL DEFAULT '';

-- What operators did with the books, and why. Only ever added to.
CREATE TABLE telemetry.operator_act (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    operator text NOT NULL,
    act      text NOT NULL,
    gateway  text COLLATE "C" NOT NULL,
    reason   text NOT NULL,
    note     text NOT NULL,
    readings bigint NOT NULL,
    detail   text NOT NULL
);
