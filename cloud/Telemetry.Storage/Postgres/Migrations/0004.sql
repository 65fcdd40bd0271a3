-- What is fixed at installation. One row, written by the first start, changed only by a repartition.
CREATE TABLE telemetry.installation (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    id         uuid NOT NULL,
    partitions integer NOT NULL CHECK (partitions > 0),
    generation integer NOT NULL CHECK (generation > 0),
    made_at    timestamptz NOT NULL,
    made_by    text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
COMMENT ON COLUMN telemetry.installation.generation IS '1, and one more with each repartition';
COMMENT ON COLUMN telemetry.installation.made_by IS 'the version of the program that wrote it';
