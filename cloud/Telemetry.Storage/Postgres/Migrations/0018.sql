-- What people are told of: alerts that changed a short time ago, and those that became known late.
-- The first of these replaces one by gateway alone.
CREATE INDEX alert_open ON telemetry.alert (gateway, rule, series_identity) WHERE state = 0;
DROP INDEX telemetry.alert_firing;
CREATE INDEX alert_changed ON telemetry.alert (changed_at);
CREATE INDEX alert_late ON telemetry.alert (published_at) WHERE late;

-- One row a webhook: which process sends its events now.
CREATE TABLE telemetry.webhook (
    webhook     text COLLATE "C" PRIMARY KEY,
    owner       text NOT NULL,
    token       bigint NOT NULL,
    lease_until timestamptz NOT NULL,
    begun       boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN telemetry.webhook.begun IS 'its positions at the beginning are written';

-- Up to which number of each partition of the alert outbox a webhook is done.
CREATE TABLE telemetry.webhook_position (
    webhook   text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    number    bigint NOT NULL,
    sent_at   timestamptz NOT NULL,
    PRIMARY KEY (webhook, partition)
);

-- Events that a receiver did not take in time.
CREATE TABLE telemetry.webhook_dead_letter (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    webhook     text COLLATE "C" NOT NULL,
    event       text NOT NULL,
    body        bytea NOT NULL,
    error       text NOT NULL,
    given_up_at timestamptz NOT NULL DEFAULT now(),
    retry       boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN telemetry.webhook_dead_letter.retry IS 'an operator asked for another attempt';
CREATE INDEX webhook_dead_letter_webhook ON telemetry.webhook_dead_letter (webhook, id);
