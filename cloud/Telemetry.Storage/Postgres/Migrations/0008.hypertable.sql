-- TimescaleDB, either edition.

CREATE TABLE telemetry.window_part (
    start      timestamptz NOT NULL,
    f_squares  double precision,
    f_integral double precision,
    hash_sum   bigint NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    i_sum      bigint,
    i_min      bigint,
    i_max      bigint,
    i_first    bigint,
    i_last     bigint,
    f_sum      double precision,
    f_min      double precision,
    f_max      double precision,
    f_first    double precision,
    f_last     double precision,
    series     integer NOT NULL,
    width      integer NOT NULL,
    readings   integer NOT NULL,
    numbers    integer NOT NULL,
    nulls      integer NOT NULL,
    uncertain  integer NOT NULL,
    bad        integer NOT NULL,
    first_at   integer,
    last_at    integer,
    flags      smallint NOT NULL
);
SELECT create_hypertable('telemetry.window_part', 'start',
    chunk_time_interval => interval '1 day', create_default_indexes => false);
CREATE INDEX window_part_windows ON telemetry.window_part (series, start);
