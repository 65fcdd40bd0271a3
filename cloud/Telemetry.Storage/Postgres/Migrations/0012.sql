-- Upkeep merges the parts of windows.

-- Where watermarks stood, once a day: a window that was complete then is complete for as long.
CREATE TABLE telemetry.watermark_mark (
    gateway   text COLLATE "C" NOT NULL,
    seen_at   timestamptz NOT NULL,
    watermark timestamptz NOT NULL,
    PRIMARY KEY (gateway, seen_at)
);

-- How far upkeep has merged the parts of a gateway's windows: those that were complete at the watermark merged_to, and
-- those that got late parts until revised_to.
CREATE TABLE telemetry.window_merging (
    gateway    text COLLATE "C" PRIMARY KEY,
    merged_to  timestamptz NOT NULL DEFAULT '-infinity',
    revised_to timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE INDEX window_revision_times ON telemetry.window_revision (gateway, at);

-- A row that upkeep writes in place of the parts of a window.
CREATE TYPE telemetry.merged_part AS (
    start      timestamptz,
    f_squares  double precision,
    f_integral double precision,
    hash_sum   bigint,
    stored_at  timestamptz,
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
    readings   integer,
    numbers    integer,
    nulls      integer,
    uncertain  integer,
    bad        integer,
    first_at   integer,
    last_at    integer,
    flags      smallint,
    parts      bigint
);
