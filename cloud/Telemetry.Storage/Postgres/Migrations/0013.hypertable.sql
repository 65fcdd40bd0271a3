-- TimescaleDB, either edition: chunks are short until upkeep knows the rate; see docs/adr/0053.

SELECT set_chunk_time_interval('telemetry.reading', interval '1 hour');
SELECT set_chunk_time_interval('telemetry.window_part', interval '1 hour');

-- Where the readings that upkeep has neither indexed nor converted yet begin, apart from late ones: at the chunk that
-- was the open one 15 minutes ago. Chunks name microseconds since 1970.
CREATE FUNCTION telemetry.open_chunks_since() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(to_timestamp(max(s.range_start) / 1e6::double precision), '-infinity')
    FROM _timescaledb_catalog.hypertable h
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
    JOIN _timescaledb_catalog.dimension_slice s ON s.dimension_id = d.id
    WHERE h.schema_name = 'telemetry' AND h.table_name = 'reading'
      AND s.range_start BETWEEN -62135596800000000
          AND (extract(epoch FROM now() - interval '15 minutes') * 1000000)::bigint
$$;

-- The newest reading of each of the series. The open chunk has no index: it is looked through once, not once for each
-- series. Then spans further and further back, each for the series that were not found: a query opens the chunks of its
-- span alone, as the span stands in its text.
CREATE OR REPLACE FUNCTION telemetry.latest_rows(in_series integer[])
RETURNS SETOF telemetry.latest_row
LANGUAGE plpgsql STABLE AS $$
DECLARE
    missing integer[] := in_series;
    upper_end timestamptz := telemetry.open_chunks_since();
    lower_end timestamptz;
    oldest timestamptz;
    span interval := '1 day';
    found telemetry.latest_row;
BEGIN
    FOR found IN EXECUTE format(
        'SELECT DISTINCT ON (r.series) r.series, r.time, r.i, r.f, r.flags, r.t FROM telemetry.reading r '
        'WHERE r.series = ANY ($1) AND r.time >= %L ORDER BY r.series, r.time DESC', upper_end) USING missing
    LOOP
        missing := array_remove(missing, found.series);
        RETURN NEXT found;
    END LOOP;

    SELECT coalesce(to_timestamp(min(s.range_start) / 1e6::double precision), 'infinity') INTO oldest
    FROM _timescaledb_catalog.hypertable h
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
    JOIN _timescaledb_catalog.dimension_slice s ON s.dimension_id = d.id
    WHERE h.schema_name = 'telemetry' AND h.table_name = 'reading' AND s.range_start >= -62135596800000000;

    WHILE cardinality(missing) > 0 AND upper_end > oldest LOOP
        lower_end := CASE WHEN upper_end - span < oldest THEN oldest ELSE upper_end - span END;
        FOR found IN EXECUTE format(
            'SELECT x.* FROM telemetry.series s CROSS JOIN LATERAL ('
            'SELECT r.series, r.time, r.i, r.f, r.flags, r.t FROM telemetry.reading r '
            'WHERE r.series = s.id%s AND r.time >= %L AND r.time < %L ORDER BY r.time DESC LIMIT 1) x '
            'WHERE s.id = ANY ($1)',
            CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'telemetry.reading'::regclass
                AND attname = 'device') THEN ' AND r.device = s.device_id' ELSE '' END,
            lower_end, upper_end) USING missing
        LOOP
            missing := array_remove(missing, found.series);
            RETURN NEXT found;
        END LOOP;
        upper_end := lower_end;
        span := span * 4;
    END LOOP;
END $$;
