-- TimescaleDB, either edition: the chunks are the layout.

CREATE FUNCTION telemetry.latest_rows(in_series integer[])
RETURNS SETOF telemetry.latest_row
LANGUAGE sql STABLE AS $$
    SELECT x.* FROM unnest(in_series) s(series) CROSS JOIN LATERAL (
        SELECT r.series, r.time, r.i, r.f, r.flags, r.t FROM telemetry.reading r
        WHERE r.series = s.series ORDER BY r.time DESC LIMIT 1) x
$$;
