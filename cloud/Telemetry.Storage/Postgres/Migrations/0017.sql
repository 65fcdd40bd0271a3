-- Who is connected, as the ingresses say it. No settlement depends on these tables.

CREATE TABLE telemetry.gateway_presence (
    gateway            text COLLATE "C" PRIMARY KEY,
    connected          boolean NOT NULL,
    since              timestamptz NOT NULL,
    run                bigint NOT NULL,
    session            bigint NOT NULL,
    version            text NOT NULL,
    clock_offset       interval,
    clock_synchronised boolean NOT NULL,
    changed_at         timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON COLUMN telemetry.gateway_presence.since IS 'by the clock of the ingress';
COMMENT ON COLUMN telemetry.gateway_presence.session IS 'grows with each connection to that run of an ingress';

-- A run of an ingress is alive as long as it says so.
CREATE TABLE telemetry.ingress_run (
    run     bigint PRIMARY KEY,
    ingress text NOT NULL,
    said_at timestamptz NOT NULL
) WITH (fillfactor = 50);
