-- What retention removed. It was stored, and stays so in the books.

-- removed: readings where width is 0; otherwise parts of windows of so many seconds. Written by the transactions that
-- remove them.
CREATE TABLE telemetry.retirement_count (
    gateway text COLLATE "C" NOT NULL,
    metric  text NOT NULL,
    width   integer NOT NULL,
    month   date NOT NULL,
    removed bigint NOT NULL,
    PRIMARY KEY (gateway, metric, width, month)
);
COMMENT ON COLUMN telemetry.retirement_count.month IS 'of the event times, UTC';

-- Up to which event time it has worked: before begun something may be missing, before done nothing is left, but for
-- what came later.
CREATE TABLE telemetry.retirement (
    gateway text COLLATE "C" NOT NULL,
    metric  text NOT NULL,
    width   integer NOT NULL,
    begun   timestamptz NOT NULL,
    done    timestamptz NOT NULL,
    PRIMARY KEY (gateway, metric, width)
);

-- Readings that come after retention for their time have made a revision: those since this time are to be looked at.
CREATE TABLE telemetry.retirement_look (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    looked_at timestamptz NOT NULL
);
CREATE INDEX window_revision_times ON telemetry.window_revision (at);
