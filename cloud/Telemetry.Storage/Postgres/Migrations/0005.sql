-- Workers that are alive, so that partitions spread over them. A row is written about once a second.

CREATE TABLE telemetry.processor (
    owner       text NOT NULL,
    worker      integer NOT NULL,
    workers     integer NOT NULL,
    held        integer NOT NULL,
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (owner, worker)
) WITH (fillfactor = 20);
